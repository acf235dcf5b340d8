"""The table of processes: what a stack is made of, in the order in which it starts."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from deploy.local import broker, databases, tools
from deploy.local.home import CHECKOUT, Home
from deploy.local.ports import Ports

SERVICES = ("members", "requests", "notify")
Kind = Literal["kafka", "mongo", "web", "worker", "gateway"]
# Stores start first and stop last, the gateway the other way round.
LAYERS: dict[Kind, int] = {"kafka": 0, "mongo": 0, "web": 1, "worker": 1, "gateway": 2}
# How long a process must live to count as started, in seconds.
STARTED_AFTER: dict[Kind, int] = {"kafka": 3, "mongo": 2, "web": 3, "worker": 3, "gateway": 1}


@dataclass(frozen=True)
class Process:
    """One row: its name, what kind of thing it is, whose it is, and on which ports it listens."""

    name: str
    kind: Kind
    service: str = ""
    also: tuple[str, ...] = ()

    @property
    def layer(self) -> int:
        return LAYERS[self.kind]

    @property
    def port(self) -> str:
        """The name of the port on which it is asked whether it is ready."""
        return self.name.replace("-", "_")

    @property
    def ports(self) -> tuple[str, ...]:
        """The names of all ports on which it listens."""
        return (self.port, *self.also)


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
    Process("gateway", "gateway", also=("gateway_admin",)),
)
EVERYTHING = frozenset(process.name for process in PROCESSES)
STORES = frozenset(process.name for process in PROCESSES if process.layer == 0)


def command(process: Process, home: Home, ports: Ports) -> tuple[str, ...]:
    """What supervisord runs for this row."""
    return COMMANDS[process.kind](process, home, ports)


def _service(process: Process, home: Home, ports: Ports) -> tuple[str, ...]:  # noqa: ARG001
    return (sys.executable, "-m", f"services.{process.service}", process.kind)


def _gateway(process: Process, home: Home, ports: Ports) -> tuple[str, ...]:  # noqa: ARG001
    quiet = ("--disable-hot-restart", "--concurrency", "2", "--log-level", "warning")
    soon = ("--file-flush-interval-msec", "500")
    return (tools.envoy(), "-c", str(home.run / "envoy.yaml"), *quiet, *soon)


COMMANDS: dict[Kind, Callable[[Process, Home, Ports], tuple[str, ...]]] = {
    "kafka": lambda process, home, ports: broker.command(home),  # noqa: ARG005
    "mongo": lambda process, home, ports: databases.command(process.service, home, ports),
    "web": _service,
    "worker": _service,
    "gateway": _gateway,
}
TETHER = (sys.executable, "-IS", str(CHECKOUT / "deploy" / "local" / "tether.py"))
