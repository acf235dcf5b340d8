"""What more kinds and reactions cost a worker: the same traffic in a service of 5 kinds and in one of 40."""

import asyncio
import contextlib
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

import psutil

from deploy.local import Trouble, supervision
from services.chassis.domain.events import Origin
from services.chassis.domain.values import now
from services.chassis.messaging.kafka import Publisher
from services.chassis.messaging.relay import Relay
from services.chassis.runtime import service as services
from services.chassis.runtime.settings import Settings
from services.chassis.storage.mongo import Mongo, connect
from services.chassis.telemetry import logs
from tests.bench import alongside
from tests.bench.alongside import Running
from tests.bench.bench import Bench
from tests.bench.figures import Bars, Figure, at_most
from tests.bench.kinds_process import SETTING
from tests.bench.load_process import elsewhere
from tests.bench.many_kinds import NAME as SERVICE
from tests.bench.many_kinds import Crowd
from tests.support.operating import settings_of

NAME = "kinds"
TITLE = "A service of 5 kinds of entity and 8 reactions, and one of 40 and 60"

FEW, MANY = 5, 40
MOST_TIMES, MOST_IDLE = 1.2, 2.0
EVENTS, QUICK_EVENTS = 4_000, 500
FLOWS, ROUNDS, ROUND = 5, 10, 200
SETTLE_SECONDS, IDLE_SECONDS, QUICK_IDLE_SECONDS = 10, 30, 3
LOOK_SECONDS, GIVE_UP_SECONDS = 0.05, 120
TRAFFIC = "each event is of the next kind in turn; each kind has a copy, every second one a reaction beside it"


@dataclass
class Site:
    """A made-up service of so many kinds, with topics and a database of its own."""

    crowd: Crowd
    environment: Mapping[str, str]
    mongo: Mongo
    settings: Settings
    rates: list[float] = field(default_factory=list)
    spent: list[dict[str, float]] = field(default_factory=list)
    """Milliseconds of processor time for one event, in each run."""
    idle: dict[str, float] = field(default_factory=dict)

    async def record(self, total: int) -> int:
        """Record this many events, each of another entity; how many documents they come to when all is done."""
        origin = Origin(now(), "account_bench", self.settings.city, "bench", None, None)
        made = sorted(self.crowd.opened(secrets.token_hex(4), total, origin), key=itemgetter(0))
        for name, things in groupby(made, key=itemgetter(0)):
            await self.mongo.bulk(name, [new for _, new in things])
        noted = {kind.collection() for kind in self.crowd.things[::2]}
        return total * 2 + sum(1 for name, _ in made if name in noted)

    async def objects(self) -> int:
        """How many documents the database has, by what the server keeps account of."""
        return int((await self.mongo.command("dbStats"))["objects"])


async def measure(bench: Bench) -> list[Figure]:
    """Both side by side: at rest, then each in turn with the same number of events; the relay's round by itself."""
    async with _site(bench, FEW) as few, _site(bench, MANY) as many:
        rounds = {len(site.crowd.things): await _rounds(site) for site in (few, many)}
        async with _worker(bench, few) as of_few, _worker(bench, many) as of_many:
            await asyncio.gather(_idle(bench, few, of_few), _idle(bench, many, of_many))
            bench.say(f"  idle: {few.idle} {many.idle}")
            events = int(bench.pace.seconds(EVENTS, QUICK_EVENTS))
            for _ in range(FLOWS):
                for site, worker in ((few, of_few), (many, of_many)):
                    watched = _watched(bench, worker)
                    before = {name: _spent(process) for name, process in watched.items()}
                    site.rates.append(events / await _flow(site, worker, events))
                    after = {name: _spent(process) - before[name] for name, process in watched.items()}
                    site.spent.append({name: seconds * 1000 / events for name, seconds in after.items()})
            bench.say(f"  events a second: {few.rates} {many.rates}")
    return _figures(few, many, rounds)


@contextlib.asynccontextmanager
async def _site(bench: Bench, kinds: int) -> AsyncIterator[Site]:
    name = f"kinds{kinds}-{secrets.token_hex(3)}"
    theirs = bench.stack.environment("notify", "worker")
    uri = elsewhere(theirs["LINLI_MONGO_NOTIFY"], f"bench_{name}")
    own = {"LINLI_TOPIC_PREFIX": f"bench-{name}", f"LINLI_MONGO_{SERVICE.upper()}": uri, SETTING: str(kinds)}
    settings, crowd = settings_of({**theirs, **own}), Crowd.of(kinds)
    await services.migrate(crowd.service(), settings)
    site = Site(crowd, {**theirs, **own}, connect(uri), settings)
    try:
        yield site
    finally:
        await site.mongo.command("dropDatabase")
        await site.mongo.close()


def _worker(bench: Bench, site: Site) -> contextlib.AbstractAsyncContextManager[Running]:
    log = bench.folder / f"kinds-{len(site.crowd.things)}.log"
    return alongside.running("tests.bench.kinds_process", "worker", site.environment, log)


async def _idle(bench: Bench, site: Site, worker: Running) -> None:
    """How much of a core the worker takes with nothing to do, in percent, and beside it the database of both."""
    await _flow(site, worker, ROUND)  # it has begun its day
    await asyncio.sleep(SETTLE_SECONDS)
    seconds, watched = bench.pace.seconds(IDLE_SECONDS, QUICK_IDLE_SECONDS), _watched(bench, worker)
    before = {name: _spent(process) for name, process in watched.items()}
    await asyncio.sleep(seconds)
    site.idle = {name: (_spent(process) - before[name]) * 100 / seconds for name, process in watched.items()}


def _watched(bench: Bench, worker: Running) -> dict[str, psutil.Process]:
    """The worker, and the database that it shares with the stack's notify and the other site."""
    return {"worker": worker.process, "mongo": psutil.Process(supervision.seen(bench.stack.home)["mongo-notify"].pid)}


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _flow(site: Site, worker: Running, events: int) -> float:
    """Seconds until all of these events are published and have had their effects, from when the worker may begin."""
    worker.process.suspend()
    try:
        before = await site.objects()
        expected = before + await site.record(events)
    finally:
        worker.process.resume()
    began = time.monotonic()
    while await site.objects() < expected:
        if time.monotonic() - began > GIVE_UP_SECONDS:
            raise Trouble(f"After {GIVE_UP_SECONDS} s not all of {events} events have had their effects.")
        await asyncio.sleep(LOOK_SECONDS)
    return time.monotonic() - began


async def _rounds(site: Site) -> tuple[float, float]:
    """Milliseconds of a full round of the relay, and of one look at all collections that finds nothing; medians."""
    logs.start(SERVICE, "worker", "warning")  # a line for each event would be what is measured
    publisher = Publisher(site.settings.kafka)
    topics = (site.settings.topic(SERVICE), None)
    relay = Relay(site.mongo, publisher, site.crowd.things, "bench", topics, site.settings.history_cap)
    await site.record(ROUND)
    await relay.round()  # the connection to the broker is made
    full: list[float] = []
    empty: list[float] = []
    for _ in range(ROUNDS):
        await site.record(ROUND)
        for times, expected in ((full, ROUND), (empty, 0)):
            began = time.perf_counter()
            assert await relay.round() == expected
            times.append((time.perf_counter() - began) * 1000)
    await publisher.stop()
    return statistics.median(full), statistics.median(empty)


def _figures(few: Site, many: Site, rounds: Mapping[int, tuple[float, float]]) -> list[Figure]:
    rates = {f"{len(site.crowd.things)} kinds": statistics.median(site.rates) for site in (few, many)}
    chart = Bars("Events a second through relay and consumer", "/s", rates)
    seconds = _pair("events a second", list(rates.values())) | {"that is": TRAFFIC, "runs": FLOWS}
    full = _pair("ms", [rounds[kinds][0] for kinds in (FEW, MANY)]) | {"entities": ROUND}
    empty = _pair("ms", [rounds[kinds][1] for kinds in (FEW, MANY)])
    slower = rates[f"{FEW} kinds"] / rates[f"{MANY} kinds"]
    return [
        Figure("time for the same events, 40 kinds against 5", slower, "×", at_most(MOST_TIMES), seconds, chart),
        Figure("a relay round, 40 kinds against 5", rounds[MANY][0] / rounds[FEW][0], "×", at_most(MOST_TIMES), full),
        Figure("a look at all outboxes, 40 kinds against 5", rounds[MANY][1] / rounds[FEW][1], "×", None, empty),
        Figure("idle worker of 40 kinds, of a core", many.idle["worker"], "%", at_most(MOST_IDLE), many.idle),
        Figure("idle worker of 5 kinds, of a core", few.idle["worker"], "%", None, few.idle),
    ]


def _pair(unit: str, values: Sequence[float]) -> dict[str, float | str | int]:
    return {f"{unit} at {kinds} kinds": value for kinds, value in zip((FEW, MANY), values, strict=True)}
