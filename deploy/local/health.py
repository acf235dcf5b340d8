"""The state of a running stack: processes, stores and the flow between them, gathered in less than two seconds."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

import psutil
from prometheus_client.parser import text_string_to_metric_families

from deploy.local import broker, databases, restarts, supervision, waiting
from deploy.local.layout import Layout
from deploy.local.processes import Process
from deploy.local.supervision import Seen
from deploy.local.waiting import Readiness

PROBE_SECONDS = 1.0
# If an event waits longer than this, the relay does not keep up, or the broker is away.
OLDEST_SECONDS = 30
Fold = Callable[[Iterable[float]], float]


@dataclass(frozen=True)
class Number:
    """A number of the flow: the metric of the workers behind it, and how its samples become one.

    First the same sample of several workers of one service: each reports its own share, or all report the same thing.
    """

    metric: str
    of_all: Fold = sum
    of_one_service: Fold = sum


FLOW = {
    "consumer_lag": Number("linli_consumer_lag_records"),
    "relay_pending": Number("linli_relay_pending"),
    "relay_oldest_seconds": Number("linli_relay_oldest_seconds", max, max),
    "relay_stuck": Number("linli_relay_stuck"),
    "parked_events": Number("linli_parked_events"),
    "consumers_at_rest": Number("linli_consumer_resting", sum, max),
    "reactions_off": Number("linli_reaction_on", lambda on: sum(not one for one in on), min),
    "cases_overdue": Number("linli_cases_overdue"),
}
# Above these values an operator must act.
LIMITS = {
    "relay_oldest_seconds": OLDEST_SECONDS,
    "relay_stuck": 0,
    "parked_events": 0,
    "consumers_at_rest": 0,
    "reactions_off": 0,
}


@dataclass(frozen=True)
class ProcessHealth:
    """One process as it is now. `said` is its answer to /readyz if it is not ready; `role` is the role of a database.

    `restarted` says how often it was restarted since the stack came up, and why the last time.
    """

    name: str
    state: str
    pid: int
    uptime_seconds: int
    memory_mib: int
    ready: bool
    said: str
    role: str = ""
    restarted: str = ""


@dataclass(frozen=True)
class StoreHealth:
    """Kafka or a database: where it is, whether it can take a write, and how many of its nodes are ready."""

    name: str
    address: str
    reachable: bool
    ready: int = 0
    nodes: int = 0

    @property
    def said(self) -> str:
        """Its state in words."""
        if self.nodes <= 1:
            return "answers" if self.reachable else "does not answer"
        return f"{'answers' if self.reachable else 'has no majority'}, {self.ready} of {self.nodes} nodes are ready"


@dataclass(frozen=True)
class Health:
    """The state of the whole stack. A number of the flow is None if no worker reports it."""

    gateway: str
    processes: list[ProcessHealth]
    stores: list[StoreHealth]
    flow: dict[str, float | None]

    @property
    def red(self) -> list[str]:
        """What is wrong, in short phrases."""
        processes = [f"{p.name} is not ready" for p in self.processes if not p.ready]
        stores = [f"{store.name} {store.said}" for store in self.stores if not store.reachable]
        flow = [f"{name} is {self.flow[name]:g}" for name, limit in LIMITS.items() if (self.flow[name] or 0) > limit]
        return processes + stores + flow

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {"running": True, "red": self.red, **asdict(self)}


def look(layout: Layout) -> Health:
    """Ask everything concurrently."""
    seen = supervision.seen(layout.home)
    with ThreadPoolExecutor(32) as at_once:
        processes = at_once.map(lambda p: _process(layout, p, seen[p.name]), layout.processes)
        kafka = at_once.submit(broker.answers, layout.kafka, PROBE_SECONDS)
        services = [service for service in layout.uris if f"mongo-{service}" in layout.parts]
        mongos = at_once.map(lambda service: _database(f"mongo-{service}", layout.uris[service]), services)
        workers = [p for p in layout.processes if p.kind == "worker"]
        metrics = at_once.map(lambda p: waiting.get(f"{layout.address(p.name)}/metrics", PROBE_SECONDS), workers)
        stores = [StoreHealth("kafka", layout.kafka, kafka.result()), *mongos]
        outcome = flow([(p.service, text) for p, (code, text) in zip(workers, metrics, strict=True) if code == 200])
        if not kafka.result():
            outcome["consumer_lag"] = None  # without Kafka, the workers' numbers are of their last contact
    again = restarts.read(layout.home.log("supervisord"))
    found = [replace(one, restarted=again[one.name].said) if one.name in again else one for one in processes]
    return Health(layout.gateway, found, [counted(layout, store, found) for store in stores], outcome)


def counted(layout: Layout, store: StoreHealth, processes: list[ProcessHealth]) -> StoreHealth:
    """A store with its nodes, if they are ours: without a majority of its nodes it takes no writes."""
    own = {process.name for process in layout.processes if process.component == store.name}
    ready = sum(process.ready for process in processes if process.name in own)
    return replace(store, reachable=store.reachable and 2 * ready >= len(own), ready=ready, nodes=len(own))


def flow(metrics: Iterable[tuple[str, str]]) -> dict[str, float | None]:
    """The numbers of FLOW from (service, metrics) of all workers."""
    samples: dict[str, dict[object, list[float]]] = {}
    for service, text in metrics:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                same = service, frozenset(sample.labels.items())
                samples.setdefault(sample.name, {}).setdefault(same, []).append(sample.value)
    return {
        name: number.of_all(map(number.of_one_service, samples[number.metric].values()))
        if number.metric in samples
        else None
        for name, number in FLOW.items()
    }


def _process(layout: Layout, process: Process, seen: Seen) -> ProcessHealth:
    found = waiting.readiness(layout, process, PROBE_SECONDS) if seen.pid else Readiness(False, "it does not run")
    uptime = int(time.time() - seen.started) if seen.pid else 0
    state, memory = seen.state.lower(), _memory(seen.pid)
    return ProcessHealth(process.name, state, seen.pid, uptime, memory, found.ready, found.said, found.role)


def _memory(pid: int) -> int:
    try:
        return psutil.Process(pid).memory_info().rss // 2**20 if pid else 0
    except psutil.Error:
        return 0


def _database(name: str, uri: str) -> StoreHealth:
    return StoreHealth(name, databases.hosts(uri), databases.answers(uri, PROBE_SECONDS))
