"""How many nodes each store of a stack has, and how much memory one node may take."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.trouble import Trouble

SETTING = "LINLI_TOPOLOGY"


@dataclass(frozen=True)
class Topology:
    """A broker cluster and replica sets of this many nodes; memory is for one node, in MiB."""

    name: str
    nodes: int
    heap_mib: int
    cache_mib: int

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Topology":
        """The topology that LINLI_TOPOLOGY names; Trouble for an unknown name."""
        name = given.get(SETTING) or "one"
        if name not in TOPOLOGIES:
            raise Trouble(f"{SETTING} is {name!r}: give one of {', '.join(TOPOLOGIES)}.")
        return TOPOLOGIES[name]

    @property
    def majority(self) -> int:
        """How many nodes must have a write, and must be up for it."""
        return self.nodes // 2 + 1


TOPOLOGIES = {
    one.name: one
    for one in (
        Topology("one", nodes=1, heap_mib=512, cache_mib=128),
        Topology("three", nodes=3, heap_mib=256, cache_mib=64),
    )
}
