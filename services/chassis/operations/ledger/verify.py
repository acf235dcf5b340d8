"""The ledger of one service, from its first read to its report."""

from collections.abc import Sequence

from services.chassis.domain.checks import CheckResult, Cut, TopicPartition
from services.chassis.messaging import switches
from services.chassis.messaging.kafka import KEYS_TOPIC, Past
from services.chassis.messaging.reactions import Copying
from services.chassis.operations.answering import Say, quietly
from services.chassis.operations.ledger import commands, lag
from services.chassis.operations.ledger.copies import Copied
from services.chassis.operations.ledger.histories import Histories
from services.chassis.operations.ledger.published import Published
from services.chassis.operations.ledger.reactions import Judge, Readable, Remembered
from services.chassis.operations.ledger.report import Report
from services.chassis.operations.protocol import VerifyRequest
from services.chassis.runtime.service import Service, open_container
from services.chassis.runtime.settings import Settings
from services.chassis.usecase import Container


async def verify(service: Service, settings: Settings, request: VerifyRequest, say: Say = quietly) -> Report:
    """Check what one service promised; BrokerAway, Unavailable, LogUnreadable, Unanswered, TopicMissing for trouble."""
    container = open_container(service, settings)
    try:
        async with Past(settings.kafka).open() as past:
            return await _Ledger(service, settings, request, container, past, say).report()
    finally:
        await container.mongo.close()


class _Ledger:
    """The steps, in the order that ``services.chassis.operations.ledger`` gives the reasons for."""

    def __init__(
        self, service: Service, settings: Settings, request: VerifyRequest, container: Container, past: Past, say: Say
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
            lines += await check(self._container, Cut(at, reached))
        return Report(self._service.name, at, lines)

    async def _ends(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        ends: dict[TopicPartition, int] = {}
        for topic in topics:
            ends |= await self._past.ends(topic)
        return ends

    async def _own(self, asked: commands.Commands) -> list[CheckResult]:
        """What this service's own database and topic tell."""
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
        """What the topics that this service listens to tell of its reactions and copies."""
        if not cut:
            return []
        mongo, readable = self._container.mongo, Readable(self._container.mongo)
        on = await switches.that_are_on(mongo, self._service.all_reactions)
        begins = {switch.name: switch.begins for switch in await switches.switches(mongo)}
        judges: list[Judge] = [
            Copied(mongo, r) if isinstance(r, Copying) else Remembered(mongo, r, begins[r.name]) for r in on
        ]
        for (topic, partition), end in cut.items():
            async for records in self._past.read(topic, partition, 0, end):
                events = await readable.of(records)
                for judge in judges:
                    await judge.take(events)
            for judge in judges:
                await judge.end()
            self._say(f"{readable.line.counts['records']} records held against {len(on)} reactions")
        for judge in judges:
            await judge.finish(self._past, cut)
        off = len(self._service.all_reactions) - len(on)
        readable.line.count("reactions off, not judged", off)
        return [readable.line, *(judge.line() for judge in judges)]

    async def _gauges(self) -> list[CheckResult]:
        if not self._request.workers:
            return []
        topics = [self._settings.topic(name) for name in self._service.listens_to]
        gauges = lag.Gauges(self._container.mongo, self._past, self._group, topics, self._request.workers)
        return [await gauges.agree(self._request.within)]
