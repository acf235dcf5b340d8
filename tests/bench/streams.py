"""Two thousand people with their inbox open live on one web process: its memory, and one message to all of them."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from deploy.local import Trouble
from services.chassis.domain.events import Origin
from services.chassis.domain.values import id_from, now
from services.chassis.messaging.reactions import Create, Effect, Write
from services.chassis.runtime.service import open_container
from services.chassis.usecase import Container
from services.contracts.notify.messages import MessageWritten, Via
from services.notify.app import service
from services.notify.inboxes.commands import Append
from services.notify.messages.model import MAX_AGE, Message
from tests.bench import load_process, memory
from tests.bench.bench import DRIVERS, Bench
from tests.bench.figures import Bars, Figure, Spread, at_most
from tests.bench.listening import Heard, Listen, listen
from tests.support.operating import settings_of

NAME = "streams"
TITLE = "Two thousand live streams on one web process"

STREAMS, QUICK = 2_000, 200
MOST_SECONDS = 1
WEB = "notify-web"
# As many effects go into one write as the consumer takes events at once.
TOGETHER = 200
CONNECT_SECONDS, HEAR_SECONDS, SETTLE_SECONDS = 120, 60, 2
HOW = "a message and an inbox line for each, written by notify's own effects; the clock runs from the first write"
_TITLE, _BODY = "停水通知", "明天上午八点到十二点检修管道，请提前储水。"


@dataclass(frozen=True)
class Round:
    """One way to the web process: its memory before and with all streams, and what became of the message."""

    way: str
    people: int
    before: Mapping[str, float]
    standing: Mapping[str, float]
    began: float
    written: float
    heard: Sequence[Heard]


async def measure(bench: Bench) -> list[Figure]:
    """Through the gateway, then without it; each person has one stream."""
    count = int(bench.pace.seconds(STREAMS, QUICK))
    people = [id_from("person", f"{NAME}:{n}") for n in range(count)]
    container = open_container(service, settings_of(bench.stack.environment("notify", "worker")))
    try:
        await load_process.know(container, people)
        await _afresh(bench, bench.badges.resident(people[0]))
        gateway = await _round(bench, container, people, bench.stack.gateway, "through the gateway")
        direct = await _round(bench, container, people, bench.stack.layout.address(WEB), "without the gateway")
    finally:
        await container.mongo.close()
    # The second time the process has the memory already that the first took.
    return [_memory(gateway), *(figure for one in (gateway, direct) for figure in _reported(one))]


async def _afresh(bench: Bench, token: str) -> None:
    """Start the web process again, so that its memory tells of nothing else, and wait until the gateway knows."""
    bench.stack.stop(WEB)
    bench.stack.start(WEB)
    began = time.monotonic()
    while time.monotonic() - began < CONNECT_SECONDS:
        async with bench.http.get("/v1/inbox", headers={"Authorization": f"Bearer {token}"}) as response:
            if response.ok:
                return
        await asyncio.sleep(0.1)
    raise Trouble(f"The gateway does not find {WEB} after it was started again.")


async def _round(bench: Bench, container: Container, people: Sequence[str], address: str, way: str) -> Round:
    about, tokens = id_from("case", secrets.token_hex(8)), [bench.badges.resident(person) for person in people]
    files = [bench.folder / f"{about}-{n}" for n in range(DRIVERS)]
    jobs = [Listen(address, tokens[n::DRIVERS], about, files[n], HEAR_SECONDS) for n in range(DRIVERS)]
    before = memory.resident(bench)
    listening_now = asyncio.create_task(bench.drive(listen, *jobs))
    await _stand(files, listening_now)
    standing = memory.resident(bench)
    began, written = await _tell(container, people, about)
    return Round(way, len(people), before, standing, began, written, await listening_now)


async def _stand(files: Sequence[Path], listening_now: "asyncio.Task[list[Heard]]") -> None:
    """Wait until all streams of all drivers stand, and a little until what that stirred up has settled."""
    began = time.monotonic()
    while not all(file.exists() for file in files) and not listening_now.done():
        if time.monotonic() - began > CONNECT_SECONDS:
            raise Trouble(f"After {CONNECT_SECONDS} s not all streams stand.")
        await asyncio.sleep(0.1)
    await asyncio.sleep(SETTLE_SECONDS)


def _memory(done: Round) -> Figure:
    each = {name: (done.standing[name] - done.before[name]) * 1024 / done.people for name in (WEB, "gateway")}
    detail = {
        f"{WEB} before, MiB": round(done.before[WEB]),
        f"{WEB} with {done.people:,} streams, MiB": round(done.standing[WEB]),
        "gateway for each, KiB": round(each["gateway"], 1),
    }
    return Figure(f"memory of {WEB} for each stream", each[WEB], "KiB", None, detail)


def _reported(done: Round) -> list[Figure]:
    took = Spread.of([at - done.began for one in done.heard for at in one.at])
    detail = {**took.reported(), "all written after": round(done.written - done.began, 2), "that is": HOW}
    parts = {name: getattr(took, name) for name in ("p50", "p90", "p99", "max")}
    chart = Bars(f"One message to {done.people:,} streams {done.way}", "s", parts)
    statuses = Counter(str(status) for one in done.heard for status in one.refused)
    return [
        Figure(f"one message to all {done.way}, to the last", took.max, "s", at_most(MOST_SECONDS), detail, chart),
        Figure(f"did not stand or never had it {done.way}", done.people - took.count, "", at_most(0), statuses),
    ]


async def _tell(container: Container, people: Sequence[str], about: str) -> tuple[float, float]:
    """When (monotonic) the first message began to be written, and when the last one was."""
    origin = Origin(now(), "tell", container.city, f"event:{about}:1:tell", None, None)
    parts = [people[start : start + TOGETHER] for start in range(0, len(people), TOGETHER)]
    writes = [await _writes(container, part, about, origin) for part in parts]
    began = time.monotonic()
    for part in writes:
        for name, group in groupby(part, key=lambda write: write[0]):
            await container.mongo.bulk(name, [write for _, write in group])
    return began, time.monotonic()


async def _writes(container: Container, people: Sequence[str], about: str, origin: Origin) -> list[Write]:
    """The lines first, as the consumer does it."""
    await container.vault.ensure_keys(people)
    effects = [effect for person in people for effect in _effects(container, person, about, origin)]
    return sorted((write for effect in effects for write in effect.writes(origin)), key=lambda write: write[0])


def _effects(container: Container, person: str, about: str, origin: Origin) -> Sequence[Effect]:
    written = MessageWritten(
        person_id=person,
        template="case-accepted",
        language="zh",
        about=about,
        because_of=f"{about}:1",
        happened_at=origin.at,
        urgent=False,
        channels=[Via.INBOX],
        expires_at=origin.at + MAX_AGE,
        title=container.vault.seal(_TITLE, person, "message-title"),
        body=container.vault.seal(_BODY, person, "message-body"),
    )
    create = Create.of(Message, container.system_context("tell", origin.cause), person, written)
    return Append(person, create.entity.id, origin.at), create
