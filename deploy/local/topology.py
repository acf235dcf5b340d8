"""How many nodes each store of a stack has, how much memory one may take, and how many processes each service has."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from deploy.local.trouble import Trouble

SETTING = "LINLI_TOPOLOGY"
WEB, WORKERS = "LINLI_WEB", "LINLI_WORKERS"
CACHE = "LINLI_DATABASE_CACHE"
SETTINGS = (SETTING, WEB, WORKERS, CACHE)
MOST = 4
"""As many webs, and as many workers, a service may have here: each has a port of its own."""
LEAST_CACHE, MOST_CACHE = 64, 1_000_000
"""In MiB. A database that has many more collections open than its cache holds is busy with nothing but that."""


@dataclass(frozen=True)
class Topology:
    """A broker cluster and replica sets of this many nodes; memory is for one node, in MiB.

    ``webs`` and ``workers``: how many of each every service has.
    """

    name: str
    nodes: int
    heap_mib: int
    cache_mib: int
    webs: int = 1
    workers: int = 1

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Topology":
        """The topology that the settings describe; Trouble for an unknown name, or a number that does not fit."""
        name = given.get(SETTING) or "one"
        if name not in TOPOLOGIES:
            raise Trouble(f"{SETTING} is {name!r}: give one of {', '.join(TOPOLOGIES)}.")
        known = TOPOLOGIES[name]
        cache = _number(given, CACHE, known.cache_mib, LEAST_CACHE, MOST_CACHE)
        return replace(known, cache_mib=cache, webs=_number(given, WEB), workers=_number(given, WORKERS))

    @property
    def majority(self) -> int:
        """How many nodes must have a write, and must be up for it."""
        return self.nodes // 2 + 1


def _number(given: Mapping[str, str], setting: str, default: int = 1, least: int = 1, most: int = MOST) -> int:
    text = given.get(setting) or str(default)
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise Trouble(f"{setting} is {text!r}: give a number from {least} to {most}.")
    return int(text)


TOPOLOGIES = {
    one.name: one
    for one in (
        Topology("one", nodes=1, heap_mib=512, cache_mib=128),
        Topology("three", nodes=3, heap_mib=256, cache_mib=64),
    )
}
