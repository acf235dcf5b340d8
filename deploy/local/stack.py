"""A stack: everything that runs for one home, started, asked and stopped as one."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.local import databases, stopping, supervision
from deploy.local.home import Home, locked
from deploy.local.layout import Layout
from deploy.local.ports import Ports
from deploy.local.processes import EVERYTHING
from deploy.local.supervision import Lifetime
from deploy.local.trouble import Trouble
from services.chassis.telemetry.lazy import lazy_import

if TYPE_CHECKING:
    from deploy.local.starting import Starting

# Receives progress: the process, and what it does now.
Report = Callable[[str, str], None]


def silent(process: str, state: str) -> None:
    """Reports nothing."""


class Stack:
    """The processes of one home; `up` and `down` may be called repeatedly.

    A stack whose lifetime is "tied" ends with the thread that called `up`, for tests.
    """

    def __init__(
        self,
        home: Path,
        ports: Ports,
        parts: frozenset[str] = EVERYTHING,
        given: Mapping[str, str] | None = None,
        lifetime: Lifetime = "stays",
    ) -> None:
        self.layout = Layout(Home(home.absolute()), ports, parts, given or {})
        self.lifetime = lifetime

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Stack":
        """The running stack of the environment's home, or the stack that the environment describes."""
        wanted = Layout.of(environment)
        return cls._with((supervision.is_running(wanted.home) and wanted.remembered()) or wanted)

    @classmethod
    def asked_for(cls, environment: Mapping[str, str]) -> "Stack":
        """The running stack, unless the environment describes another: then that one, and `up` decides."""
        wanted, running = Layout.of(environment), cls.of(environment).layout
        return cls._with(running if wanted.given.items() <= running.given.items() else wanted)

    @classmethod
    def _with(cls, layout: Layout) -> "Stack":
        return cls(layout.home.root, layout.ports, layout.parts, layout.given)

    @property
    def home(self) -> Home:
        return self.layout.home

    @property
    def kafka(self) -> str:
        """The brokers, host:port[,…]."""
        return self.layout.kafka

    @property
    def uris(self) -> dict[str, str]:
        """Each service's MongoDB URI, with its database."""
        return self.layout.uris

    @property
    def signed_in(self) -> dict[str, str]:
        """The same with the account of the service, for a driver in this process."""
        return self.layout.signed_in

    @property
    def gateway(self) -> str:
        """The gateway's address."""
        return self.layout.gateway

    @property
    def city_data(self) -> Path:
        """The folder of its city's data."""
        return Path(self.environment("members", "web")["LINLI_CITY_DATA"])

    def environment(self, service: str, role: str) -> dict[str, str]:
        """The LINLI_* settings of a process, to start it (or a part of it) oneself."""
        return self.layout.environment(service, role)

    def up(self, report: Report = silent) -> None:
        """Start what does not run and wait until all of it is ready; Trouble if that cannot be."""
        self.home.make()
        with locked(self.home.run):
            self._refuse_other_settings()
            self.home.settle(self.layout.topology.name)
            fresh = not self.is_running()
            try:
                self._starting(report).all()
            except BaseException:
                if fresh:
                    stopping.all_of(self.layout, silent)
                raise

    def migrate(self, report: Report = silent) -> list[str]:
        """Build indexes and topics of all services, and return their names."""
        return self._starting(report).migrate()

    def down(self, report: Report = silent) -> None:
        """Stop everything and check that no process and no port is left; Trouble if one is."""
        with locked(self.home.run):
            stopping.all_of(self.layout, report)

    def is_running(self) -> bool:
        """Whether the supervisor runs (not whether all is well)."""
        return supervision.is_running(self.home)

    def running(self) -> "Stack":
        """This stack; Trouble if it does not run."""
        if not self.is_running():
            raise Trouble("Linli does not run: start it with `linli up`.")
        return self

    def pid(self, process: str) -> int:
        """The pid of a process, 0 if it does not run now."""
        return supervision.seen(self.home)[process].pid

    def kill(self, process: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a process and return the pid it had; after SIGKILL the supervisor starts it again."""
        pid = self.pid(process)
        os.kill(pid, number)
        return pid

    def primary(self, service: str) -> str:
        """The process that is the primary of a service's own database now; "" while there is none."""
        nodes = [process for process in self.layout.processes if process.component == f"mongo-{service}"]
        return next((one.name for one in nodes if databases.role(self.layout.node(one)) == "primary"), "")

    def start(self, process: str) -> None:
        """Start one process and wait until it is ready."""
        supervision.start_process(self.home, process)
        self.wait(process)

    def stop(self, process: str) -> None:
        """Stop one process and wait until it is gone; it stays down until `start` or `up`."""
        stopping.some_of(self.layout, [process])

    def wait(self, process: str) -> None:
        """Wait until one process is ready."""
        self._starting(silent).wait(process)

    def _starting(self, report: Report) -> "Starting":
        # Loaded only to start something: most commands only ask, and would wait for the import.
        starting: Starting = lazy_import("deploy.local.starting", "Starting")(self.layout, self.lifetime, report)
        return starting

    def _refuse_other_settings(self) -> None:
        running = self.layout.remembered() if self.is_running() else None
        if running and running != self.layout:
            raise Trouble("Linli runs here with other settings: run `linli down`, then `linli up` with the new ones.")
