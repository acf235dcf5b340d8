"""Starting a stack: checks, files, stores, migrations, services, gateway, in this order."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from deploy.local import accounts, broker, databases, front, keys, stopping, supervision, waiting
from deploy.local.commands import command
from deploy.local.home import CHECKOUT
from deploy.local.layout import Layout
from deploy.local.processes import PROCESSES, SERVICES, Process
from deploy.local.supervision import Lifetime
from deploy.local.trouble import Trouble
from services.chassis.domain.account import Account

ELSEWHERE_SECONDS = 5
# Without this limit, glibc keeps a memory arena for each thread of the database driver.
ALWAYS = {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True)
class Starting:
    """One start of a layout; `report` receives every step."""

    layout: Layout
    lifetime: Lifetime
    report: Callable[[str, str], None]

    def all(self) -> None:
        """Start what does not run and wait for it."""
        if not supervision.is_running(self.layout.home):
            stopping.after_crash(self.layout.remembered() or self.layout)
            self._prepare()
            supervision.start(self.layout.home, self.lifetime)
        self.layout.remember()
        self._check_elsewhere()
        stores = self._of_layer(0)
        fresh = [process for process in stores if self._is_down(process)]
        self._start(stores)
        self._grant(fresh)
        services = self._of_layer(1)
        if any(self._is_down(process) for process in services):
            self.migrate()
        self._start(services)
        self._start(self._of_layer(2))

    def migrate(self) -> list[str]:
        """Build indexes and topics of all services in parallel; returns the names of the services.

        Without a time-out: a build that was cut off would have to start again, and would be cut off again.
        """
        services = sorted({process.service for process in self._of_layer(1)})
        with ThreadPoolExecutor() as side_by_side:
            list(side_by_side.map(self._migrate, services))
        return services

    def wait(self, name: str) -> None:
        """Wait until one process is ready."""
        waiting.until_ready(self.layout, [p for p in self.layout.processes if p.name == name], self.report)

    def _prepare(self) -> None:
        """Everything that must be right before a process starts."""
        brokers = [process for process in self.layout.processes if process.kind == "kafka"]
        self.layout.ports.refuse_busy(port for process in self.layout.processes for port in process.ports)
        keys.make(self.layout.home, self.layout.token_keys)
        for process in self._closed(PROCESSES):
            accounts.make(self.layout.home, process.component, self._names(process))
        # Name every missing program before anything is fetched.
        supervision.write(self.layout.home, {p: self._row(p) for p in self.layout.processes})
        if brokers:
            self.report(brokers[0].name, "preparing")
            broker.fetch()
        for process in brokers:
            broker.prepare(self.layout, process)

    def _closed(self, processes: Iterable[Process]) -> list[Process]:
        """The databases among these that have accounts, each once."""
        return [one for one in processes if one.kind == "mongo" and one.node == 1 and not self.layout.is_open]

    def _grant(self, fresh: Sequence[Process]) -> None:
        """Make the accounts of the stores that were just started."""
        for process in self._closed(fresh):
            self.report(process.name, "accounts")
            databases.grant(process.service, self.layout.nodes(process.component), *self._accounts(process))

    def _accounts(self, process: Process) -> list[Account]:
        return [accounts.account(self.layout.home, process.component, name) for name in self._names(process)]

    def _names(self, process: Process) -> tuple[str, ...]:
        return (accounts.NODES, process.service, accounts.OPERATOR)

    def _row(self, process: Process) -> tuple[tuple[str, ...], dict[str, str]]:
        service = (process.service, process.kind, process.node)
        environment = self.layout.environment(*service) if process.layer == 1 else {}
        return command(self.layout, process), {**environment, **ALWAYS}

    def _check_elsewhere(self) -> None:
        """Trouble if a store from the settings does not answer."""
        if self.layout.given.get("LINLI_KAFKA") and not broker.answers(self.layout.kafka, ELSEWHERE_SECONDS):
            raise Trouble(f"No Kafka answers at {self.layout.kafka}: start it, or unset LINLI_KAFKA to start one here.")
        for service in SERVICES:
            name, uri = f"LINLI_MONGO_{service.upper()}", self.layout.uris[service]
            if self.layout.given.get(name) and not databases.answers(uri, ELSEWHERE_SECONDS):
                where = databases.hosts(uri)
                raise Trouble(f"No MongoDB answers at {where}: start it, or unset {name} to start one here.")

    def _of_layer(self, layer: int) -> list[Process]:
        return [process for process in self.layout.processes if process.layer == layer]

    def _is_down(self, process: Process) -> bool:
        return supervision.seen(self.layout.home)[process.name].pid == 0

    def _start(self, processes: list[Process]) -> None:
        for process in processes:
            if self._is_down(process):
                self.layout.ports.refuse_busy(process.ports)
                self.report(process.name, "starting")
                if process.kind == "gateway":
                    front.prepare(self.layout)
                supervision.start_process(self.layout.home, process.name)
        waiting.until_ready(self.layout, processes, self.report)

    def _migrate(self, service: str) -> None:
        self.report(service, "migrating")
        environment = {**_bare_environment(), **self.layout.environment(service, "migrate")}
        migrating = [sys.executable, "-m", f"services.{service}", "migrate"]
        done = subprocess.run(migrating, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lines = tuple((done.stdout + done.stderr).splitlines()[-waiting.LAST_LINES :])
            advice = "fix what its last lines say, then repeat"
            raise Trouble(f"The migration of {service} failed: {advice}.", lines=lines)
        self.report(service, "migrated")


def _bare_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
