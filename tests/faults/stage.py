"""The stage on which broken variants play: the toy city, a driver's log, and a sudden death at a chosen point."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from pytest import MonkeyPatch

from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging.consumer import Consumer
from services.chassis.messaging.kafka import BrokerAway, Publisher, Reader
from services.chassis.messaging.relay import Relay
from services.chassis.runtime.service import Service
from services.chassis.usecase import Context
from tests.chassis.ledger_city import City
from tests.support import consuming, toy

Caught = frozenset[tuple[str, str]]
"""The lines (check, what it is about) that have breaches."""


@dataclass
class Stage:
    """One play: ``broken`` says whether it is the variant that is on, or what runs in the city."""

    city: City
    patch: MonkeyPatch
    broken: bool
    log: Path
    answered: int = 0
    """This many commands succeeded, as far as the driver knows."""
    readers: list[Reader] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.log.touch()

    def variant(self, owner: Any, name: str, instead: Any) -> None:
        """Put something else in the place of a part, in the variant only."""
        if self.broken:
            self.patch.setattr(owner, name, instead)

    async def command(self, jar: str = "", *, tries: int = 1) -> None:
        """Open a jar, or drop a coin into one, as a driver does: the answer to all tries but the last is lost."""
        ctx = self.city.doing()
        for number in range(1, tries + 1):
            began = datetime.now(UTC)
            done = await self._done(self.city.shop.context(ctx.actor, ctx.cause), jar)
            outcome = "ok" if done and number == tries else "unknown"
            self._note(ctx.cause, began, outcome, done if outcome == "ok" else None)
            self.answered += outcome == "ok"

    def relay(self, kind: type[Relay] = Relay, publisher: Publisher | None = None) -> Relay:
        """A relay of the shop, perhaps of another kind, or with another way to the broker."""
        settings = self.city.world.settings()
        topics, cap = (settings.topic("members"), settings.topic("keys")), settings.history_cap
        way = publisher or self.city.publisher
        return kind(self.city.shop.mongo, way, toy.shop.entities, "/linli/members", topics, cap)

    async def consumer(self, kind: type[Consumer] = Consumer, group: str = "") -> Consumer:
        """A consumer of the hall, perhaps of another kind, or one that its group has given up for dead."""
        settings, name = self.city.world.settings(), f"{self.city.group}{group}"
        reader = Reader(settings.kafka, [settings.topic("members")], name, "hall-0")
        await reader.start()
        self.readers.append(reader)
        made = await consuming.member(self.city.hall, reader, toy.hall.all_reactions, name)
        made.__class__ = kind
        return made

    async def gone(self) -> None:
        """The connections of a consumer that died are closed, as its machine would do."""
        while self.readers:
            await self.readers.pop().stop()

    async def _done(self, ctx: Context, jar: str) -> toy.Jar | None:
        with suppress(Unavailable):
            if not jar:
                return await toy.open_jar(ctx, toy.OpenJar(label="sweets"))
            return await toy.drop_coin(ctx, jar, toy.DropCoin())
        return None

    def _note(self, cause: str, began: datetime, outcome: str, made: toy.Jar | None) -> None:
        _, actor, method, path, key = cause.split(":")
        line = {"id": key, "actor": actor, "method": method, "path": path, "key": key, "start": began}
        reported = {"end": datetime.now(UTC), "outcome": outcome, "entity": made.id if made else None}
        with self.log.open("ab") as log:
            log.write(orjson.dumps({**line, **reported, "version": made.version if made else None}) + b"\n")


class Death:
    """A point at which a process dies, the first time it gets there."""

    def __init__(self) -> None:
        self._there = asyncio.Event()

    async def __call__(self, *_: Any, **__: Any) -> Any:
        """Get there, and no further."""
        self._there.set()
        await asyncio.Event().wait()

    async def of(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let work go on until it gets there; whatever else it was about to do is never done."""
        task, there = asyncio.create_task(work), asyncio.create_task(self._there.wait())
        await asyncio.wait([task, there], timeout=30, return_when=asyncio.FIRST_COMPLETED)
        for one in (task, there):
            one.cancel()
        await asyncio.gather(task, there, return_exceptions=True)
        assert self._there.is_set(), f"it did not come to its death: {task}"


@dataclass(frozen=True)
class Variant:
    """Something that is broken on purpose: the crash or race that exposes it, and the lines that have to tell."""

    name: str
    crash: str
    service: Service
    reported: Caught
    play: Callable[[Stage], Awaitable[None]]


async def caught(variant: Variant, city: City, log: Path, *, broken: bool) -> Caught:
    """Run it, wait until the system is quiet, and ask the ledger: the lines with breaches."""
    with MonkeyPatch.context() as patch:
        stage = Stage(city, patch, broken, log)
        await variant.play(stage)
        await stage.gone()
        await _rest(city)
    report = await city.verify(variant.service, log=log if variant.service is toy.shop else None, within=5)
    return frozenset((line.check, line.about) for line in report.lines if line.breaches)


async def _rest(city: City) -> None:
    """A broker or database that was away is back."""
    for _ in range(20):
        with suppress(BrokerAway, Unavailable):
            await city.settle()
            return
        await asyncio.sleep(0.5)
