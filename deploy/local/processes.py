"""The table of processes: what a stack is made of, in the order in which it starts."""

from dataclasses import dataclass, replace
from typing import Literal

from deploy.local.topology import Topology

SERVICES = ("members", "requests", "notify")
Kind = Literal["kafka", "mongo", "web", "worker", "gateway"]
# Stores start first and stop last, the gateway the other way round.
LAYERS: dict[Kind, int] = {"kafka": 0, "mongo": 0, "web": 1, "worker": 1, "gateway": 2}
# How long a process must live to count as started, in seconds.
STARTED_AFTER: dict[Kind, int] = {"kafka": 3, "mongo": 2, "web": 3, "worker": 3, "gateway": 1}


@dataclass(frozen=True)
class Process:
    """One row: name, kind, service, other ports, and which node of its component it is."""

    name: str
    kind: Kind
    service: str = ""
    also: tuple[str, ...] = ()
    node: int = 1

    @property
    def layer(self) -> int:
        return LAYERS[self.kind]

    @property
    def component(self) -> str:
        """The component of the stack: named after its first node."""
        return self.name.removesuffix(f"-{self.node}")

    @property
    def port(self) -> str:
        """The name of the port for its readiness."""
        return self.name.replace("-", "_")

    @property
    def ports(self) -> tuple[str, ...]:
        """The names of all ports on which it listens."""
        return (self.port, *self.also)

    def nodes(self, topology: Topology) -> tuple["Process", ...]:
        """This row once for each node: as often as the topology says."""
        counts: dict[Kind, int] = {"web": topology.webs, "worker": topology.workers, "gateway": 1}
        count = counts.get(self.kind, topology.nodes)
        return (self, *(self._another(node) for node in range(2, count + 1)))

    def _another(self, node: int) -> "Process":
        also = tuple(f"{port}_{node}" for port in self.also)
        return replace(self, name=f"{self.name}-{node}", also=also, node=node)


# One row for each component. Further nodes are named after the first: kafka-2, mongo-members-3, requests-web-2.
PROCESSES = (
    Process("kafka", "kafka", also=("kafka_controller",)),
    Process("mongo-members", "mongo", "members"),
    Process("mongo-requests", "mongo", "requests"),
    Process("mongo-notify", "mongo", "notify"),
    Process("members-web", "web", "members"),
    Process("members-worker", "worker", "members"),
    Process("requests-web", "web", "requests"),
    Process("requests-worker", "worker", "requests"),
    Process("notify-web", "web", "notify"),
    Process("notify-worker", "worker", "notify"),
    Process("gateway", "gateway", also=("gateway_metrics",)),
)
EVERYTHING = frozenset(process.name for process in PROCESSES)
STORES = frozenset(process.name for process in PROCESSES if process.layer == 0)


def table(topology: Topology) -> tuple[Process, ...]:
    """Every process of a whole stack: PROCESSES with all nodes."""
    return tuple(node for process in PROCESSES for node in process.nodes(topology))
