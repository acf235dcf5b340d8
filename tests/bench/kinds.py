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
from tests.bench.figures import Bars, Bound, Figure, at_most
from tests.bench.kinds_process import SETTING
from tests.bench.many_kinds import NAME as SERVICE
from tests.bench.many_kinds import Crowd
from tests.support import operators
from tests.support.operating import settings_of

NAME = "kinds"
TITLE = "A service of 5 kinds of entity and 8 reactions, and one of 40 and 60"

FEW, MANY = 5, 40
MOST_TIMES, MOST_IDLE = 1.2, 2.0
EVENTS, QUICK_EVENTS = 4_000, 500
FLOWS, ROUNDS, ROUND, BACKLOG = 5, 10, 200, 1_000
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
    """Both side by side: at rest, then each in turn with the same number of events; then their relays alone."""
    async with _site(bench, FEW) as few, _site(bench, MANY) as many:
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
            bench.say(f"  events a second: {few.rates} {many.rates}; each took {few.spent} {many.spent}")
        rounds = await _rounds(few, many)
    return _figures(few, many, rounds)


@contextlib.asynccontextmanager
async def _site(bench: Bench, kinds: int) -> AsyncIterator[Site]:
    name = f"kinds{kinds}-{secrets.token_hex(3)}"
    theirs = bench.stack.environment("notify", "worker")
    account = operators.settings(bench.stack, "notify", f"bench_{name}")
    uri = account["LINLI_MONGO_NOTIFY"]
    own = {"LINLI_TOPIC_PREFIX": f"bench-{name}", f"LINLI_MONGO_{SERVICE.upper()}": uri, SETTING: str(kinds), **account}
    settings, crowd = settings_of({**theirs, **own}), Crowd.of(kinds)
    await services.migrate(crowd.service(), settings)
    site = Site(crowd, {**theirs, **own}, connect(uri, account=settings.mongo_account(SERVICE)), settings)
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


@dataclass
class Rounds:
    """Milliseconds of the rounds of one relay, of a site's own, while its worker does not run."""

    relay: Relay
    round_ms: list[float] = field(default_factory=list)
    """Rounds of ``ROUND`` entities."""
    empty_ms: list[float] = field(default_factory=list)
    """Looks at all collections that find nothing."""
    entity_ms: list[float] = field(default_factory=list)
    """For one entity of a backlog, in rounds as large as this relay makes them."""

    async def one(self, expected: int) -> float:
        """One round of so many entities."""
        began = time.perf_counter()
        assert await self.relay.round() == expected
        return (time.perf_counter() - began) * 1000

    async def backlog(self, total: int) -> float:
        """All rounds of a backlog, for one entity of it."""
        began, left = time.perf_counter(), total
        while left > 0:
            left -= (moved := await self.relay.round())
            assert moved > 0, f"{left} entities are not published"
        return (time.perf_counter() - began) * 1000 / total


async def _rounds(*sites: Site) -> dict[int, Rounds]:
    """The relays of all sites in turn, by the number of kinds."""
    logs.start(SERVICE, "worker", "warning")  # a line for each event would be what is measured
    publisher = Publisher(sites[0].settings.kafka)
    measured = {len(site.crowd.things): Rounds(_relay(site, publisher)) for site in sites}
    for site, rounds in zip(sites, measured.values(), strict=True):
        await site.record(ROUND)
        await rounds.one(ROUND)  # the connection to the broker is made
    for _ in range(ROUNDS):
        for site, rounds in zip(sites, measured.values(), strict=True):
            await site.record(ROUND)
            rounds.round_ms.append(await rounds.one(ROUND))
            rounds.empty_ms.append(await rounds.one(0))
            await site.record(BACKLOG)
            rounds.entity_ms.append(await rounds.backlog(BACKLOG))
    await publisher.stop()
    return measured


def _relay(site: Site, publisher: Publisher) -> Relay:
    topics = (site.settings.topic(SERVICE), None)
    return Relay(site.mongo, publisher, site.crowd.things, "bench", topics, site.settings.history_cap)


def _figures(few: Site, many: Site, rounds: Mapping[int, Rounds]) -> list[Figure]:
    rates = {f"{len(site.crowd.things)} kinds": statistics.median(site.rates) for site in (few, many)}
    chart = Bars("Events a second through relay and consumer", "/s", rates)
    seconds = _pair("events a second", list(rates.values())) | {"that is": TRAFFIC, "runs": FLOWS}
    slower = rates[f"{FEW} kinds"] / rates[f"{MANY} kinds"]
    entity = {kinds: statistics.median(known.entity_ms) for kinds, known in rounds.items()}
    full = {kinds: statistics.median(known.round_ms) for kinds, known in rounds.items()}
    empty = {kinds: statistics.median(known.empty_ms) for kinds, known in rounds.items()}
    return [
        Figure("time for the same events, 40 kinds against 5", slower, "×", at_most(MOST_TIMES), seconds, chart),
        _ratio("a relay's time for one entity of a backlog", entity, at_most(MOST_TIMES), {"backlog": BACKLOG}),
        _ratio(f"a relay round of {ROUND} entities", full, at_most(MOST_TIMES), {}),
        _ratio("a look at all outboxes that finds nothing", empty, None, {}),
        Figure("idle worker of 40 kinds, of a core", many.idle["worker"], "%", at_most(MOST_IDLE), many.idle),
        Figure("idle worker of 5 kinds, of a core", few.idle["worker"], "%", None, few.idle),
    ]


def _ratio(what: str, ms: Mapping[int, float], bound: Bound | None, detail: dict[str, float | str | int]) -> Figure:
    known = _pair("ms", [ms[kinds] for kinds in (FEW, MANY)]) | detail
    return Figure(f"{what}, 40 kinds against 5", ms[MANY] / ms[FEW], "×", bound, known)


def _pair(unit: str, values: Sequence[float]) -> dict[str, float | str | int]:
    return {f"{unit} at {kinds} kinds": value for kinds, value in zip((FEW, MANY), values, strict=True)}
