"""How long notify's consumer pauses while a reaction that was off catches up beside it, as its metrics show it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from deploy.local import Trouble
from services.chassis.messaging import switching
from services.chassis.messaging.control import PAUSED
from services.chassis.messaging.kafka import TopicReader
from services.chassis.operations.answering import quietly
from services.chassis.operations.backfill import PAUSE_SECONDS, backfill
from services.chassis.operations.protocol import BackfillRequest
from services.chassis.runtime.service import open_container
from services.chassis.telemetry import logs
from services.notify.app import service
from services.notify.rules.reactions import NotifyReaction
from tests.bench import alongside, load_process
from tests.bench.bench import Bench
from tests.bench.figures import Figure, at_most
from tests.bench.load_process import NotifyLoad
from tests.support.operating import settings_of

NAME = "pause"
TITLE = "A reaction catches up while the others go on"

EVENTS, QUICK = 10_000, 1_000
PEOPLE = 1_000
FLOW, FLOW_SECONDS = 50, 0.25
LOOK_SECONDS = 0.02
GIVE_UP_SECONDS = 300


async def measure(bench: Bench) -> list[Figure]:
    """It is off from the start, and catches up while events go on to come."""
    events = int(bench.pace.seconds(EVENTS, QUICK))
    async with load_process.opened(bench, NAME, PEOPLE, events + events // 2) as post:
        before, meanwhile = post.split(events)
        await _turn_off(post)
        await before.accept_all()
        log = bench.folder / "pause.log"
        async with alongside.running("services.notify", "worker", post.environment, log) as worker:
            await _until("the events are confirmed", lambda: _has_confirmed(post, events))
            pauses = Pauses(bench.http, worker.address)
            watching, flowing = asyncio.create_task(pauses.watch()), asyncio.create_task(_flow(meanwhile))
            began = time.perf_counter()
            read = await alongside.apart(_start, post.environment)  # as `linli reactions start` does
            seconds = time.perf_counter() - began
            await flowing
            await _until("every message is written", lambda: _has_written(post, len(post.cases)))
            if watching.done():
                await watching  # it broke off, and raises why
            watching.cancel()
    longest = max(pauses.seconds, default=0.0)  # of a pause shorter than the time between two looks none is seen
    detail = {"pauses": len(pauses.seconds), "records read": read, "s in all": round(seconds, 1)}
    return [Figure("longest pause of the others", longest, "s", at_most(PAUSE_SECONDS), detail)]


class Pauses:
    """The pauses of a worker's consumer, one after the other, in seconds."""

    def __init__(self, http: aiohttp.ClientSession, worker: str) -> None:
        self._http, self._worker = http, worker
        self.seconds: list[float] = []

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        since: float | None = None
        while True:
            async with self._http.get(f"{self._worker}/metrics") as answer:
                paused = _is_paused(await answer.text())
            if paused and since is None:
                since = time.perf_counter()
                self.seconds.append(0)
            if since is not None:
                self.seconds[-1] = time.perf_counter() - since
            since = since if paused else None
            await asyncio.sleep(LOOK_SECONDS)


def _is_paused(metrics: str) -> bool:
    return any(
        sample.name == "linli_consumer_resting" and sample.labels["state"] == PAUSED and sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
    )


async def _turn_off(post: NotifyLoad) -> None:
    """Before anything is read, so that it has everything to catch up."""
    container, group = open_container(service, post.settings), post.settings.group(service.name)
    await switching.register(container.mongo, group, service.all_reactions, {})
    await switching.turn_off(container.mongo, group, {NotifyReaction.name: "to be measured"}, "bench", {})
    await container.mongo.close()


def _start(environment: Mapping[str, str]) -> int:
    """How many records were read."""
    settings = settings_of(environment)
    logs.start(service.name, "operate", "warning")
    done = asyncio.run(backfill(service, settings, BackfillRequest(reaction=NotifyReaction.name, write=True), quietly))
    return int(done.document()["read"])


async def _flow(post: NotifyLoad) -> None:
    """Its events, a few after the other."""
    while post.cases:
        some, post = post.split(FLOW)
        await some.accept_all()
        await asyncio.sleep(FLOW_SECONDS)


async def _has_confirmed(post: NotifyLoad, events: int) -> bool:
    async with TopicReader(post.settings.kafka).open() as past:
        confirmed = await past.committed(post.settings.group(service.name))
    return sum(end for (topic, _), end in confirmed.items() if topic == post.topic) >= events


async def _has_written(post: NotifyLoad, messages: int) -> bool:
    container = open_container(service, post.settings)
    written = await load_process.reported(container)
    await container.mongo.close()
    return written == (messages, messages)


async def _until(what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while not await holds():
        if time.monotonic() > give_up:
            raise Trouble(f"After {GIVE_UP_SECONDS} s it is still not so that {what}.")
        await asyncio.sleep(0.5)
