"""The ledger of one service, from its first read to its report."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis.domain.checks import CheckResult, TopicPartition
from services.chassis.messaging.control import desired_state
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka import KEYS_TOPIC, TopicReader
from services.chassis.messaging.reactions import AnyReaction, Copying
from services.chassis.messaging.switches import Switch
from services.chassis.operations.answering import Say, quietly
from services.chassis.operations.ledger import commands, lag
from services.chassis.operations.ledger.copies import Copied
from services.chassis.operations.ledger.histories import Histories
from services.chassis.operations.ledger.published import Published
from services.chassis.operations.ledger.reactions import Judge, RecordCheck, Remembered
from services.chassis.operations.ledger.report import Report
from services.chassis.operations.protocol import VerifyRequest
from services.chassis.runtime.service import Service, open_container
from services.chassis.runtime.settings import Settings
from services.chassis.usecase import Container


async def verify(service: Service, settings: Settings, request: VerifyRequest, say: Say = quietly) -> Report:
    """Check the promises of one service. Raises BrokerAway, Unavailable, LogUnreadable, Unanswered, TopicMissing."""
    container = open_container(service, settings)
    try:
        async with TopicReader(settings.kafka).open() as past:
            return await _Ledger(service, settings, request, container, past, say).report()
    finally:
        await container.mongo.close()


class _Ledger:
    """The steps; ``services.chassis.operations.ledger`` explains their order."""

    def __init__(
        self,
        service: Service,
        settings: Settings,
        request: VerifyRequest,
        container: Container,
        past: TopicReader,
        say: Say,
    ) -> None:
        self._service, self._settings, self._request = service, settings, request
        self._container, self._past, self._say = container, past, say
        self._group = settings.group(service.name)

    async def report(self) -> Report:
        at = self._container.clock()
        log = self._request.log
        asked = commands.read(log, self._service.routes) if log else commands.Commands(())
        heard = await self._ends([self._settings.topic(name) for name in self._service.listens_to])
        keys = await self._ends([] if self._service.mints_keys else [self._settings.topic(KEYS_TOPIC)])
        lines = await self._own(asked)
        if log:
            lines += asked.lines()
        reached, reading = await self._reach(self._group, heard)
        _, keeping = await self._reach(f"{self._group}.keys", keys)
        lines += [*reading, *keeping, *await self._reactions(reached), *await self._gauges()]
        for check in self._service.checks:
            lines += await check(self._container)
        return Report(self._service.name, at, lines)

    async def _ends(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        ends: dict[TopicPartition, int] = {}
        for topic in topics:
            ends |= await self._past.ends(topic)
        return ends

    async def _own(self, asked: commands.Commands) -> list[CheckResult]:
        """What this service's own database and topic show."""
        mongo, kinds = self._container.mongo, self._service.entities
        histories = Histories(mongo, kinds, asked, self._say)
        await histories.read()
        published = Published(mongo, kinds, histories.tracks, self._say)
        await published.read(self._past, self._settings.topic(self._service.name))
        relay = await lag.published_in_time(mongo, histories.waiting, self._request.within, self._say)
        return [*histories.lines(), *published.lines(), relay]

    async def _reach(
        self, group: str, cut: dict[TopicPartition, int]
    ) -> tuple[dict[TopicPartition, int], list[CheckResult]]:
        if not cut:
            return {}, []
        reached, line = await lag.consumed_in_time(self._past, group, cut, self._request.within, self._say)
        return reached, [line]

    async def _reactions(self, cut: dict[TopicPartition, int]) -> list[CheckResult]:
        """What the topics show of this service's reactions and copies."""
        if not cut:
            return []
        readable, judged = RecordCheck(self._container.mongo), await self._judged(cut)
        for (topic, partition), end in cut.items():
            async for records in self._past.read(topic, partition, 0, end):
                events = await readable.of(records)
                for one in judged:
                    await one.judge.take(one.before(events))
            for one in judged:
                await one.judge.end()
            self._say(f"{readable.line.counts['records']} records compared with {len(judged)} reactions")
        for one in judged:
            await one.judge.finish(self._past, one.cut)
        readable.line.count("reactions new and off, not judged", len(self._service.all_reactions) - len(judged))
        return [readable.line, *(one.judge.line() for one in judged), lag.waiting([one.switch for one in judged], cut)]

    async def _judged(self, cut: dict[TopicPartition, int]) -> list["_Judged"]:
        """Read after what is confirmed: one that is not on by then has had its effects before its own offsets."""
        mongo, found = self._container.mongo, []
        known = (await desired_state(mongo, self._group)).switches
        for reaction in self._service.all_reactions:
            switch = known.get(reaction.name)
            if switch is not None and (switch.on or switch.positions is not None):
                found.append(_Judged(self._judge(reaction, switch), switch, _up_to(switch, cut)))
        return found

    def _judge(self, reaction: AnyReaction, switch: Switch) -> Judge:
        if isinstance(reaction, Copying):
            return Copied(self._container.mongo, reaction)
        return Remembered(self._container.mongo, reaction, switch.begins)

    async def _gauges(self) -> list[CheckResult]:
        if not self._request.workers:
            return []
        topics = [self._settings.topic(name) for name in self._service.listens_to]
        gauges = lag.Gauges(self._container.mongo, self._past, self._group, topics, self._request.workers)
        return [await gauges.agree(self._request.within)]


@dataclass(frozen=True)
class _Judged:
    """A reaction that is held against the topics up to a cut of its own."""

    judge: Judge
    switch: Switch
    cut: dict[TopicPartition, int]

    def before(self, events: Sequence[Delivered]) -> list[Delivered]:
        """The events that it must have taken."""
        return [e for e in events if e.record.offset < self.cut[e.record.topic, e.record.partition]]


def _up_to(switch: Switch, cut: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
    """While it is not on, it waits since its own offsets."""
    if switch.on:
        return cut
    return {place: min(end, switch.starts_at(place)) for place, end in cut.items()}
