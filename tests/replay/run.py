"""One replay from the first message to the last look into an inbox."""

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from deploy.cli.city.client import Gateway, Refused, Unanswered
from deploy.cli.city.progress import Bars, side_by_side
from deploy.cli.city.spool import CodeMissing
from deploy.cli.city.tokens import PhoneHolder
from deploy.local import Trouble
from tests.replay.callers import Callers, Town
from tests.replay.filing import CommandSender, reason
from tests.replay.inboxes import listening
from tests.replay.messages import Message
from tests.replay.outcomes import planned
from tests.replay.results import Filed, Results
from tests.replay.story import NoItemFits, Story

TOLD = "filed → seen in the open inbox"
FAILURES = (Refused, Unanswered, CodeMissing, Trouble)


@dataclass
class Pace:
    """So many stories begin a second; all at once where it is 0."""

    rate: float
    _next: float = field(default_factory=time.monotonic)

    async def wait(self) -> None:
        """Until it is this story's turn."""
        if self.rate:
            turn, self._next = self._next, max(self._next, time.monotonic()) + 1 / self.rate
            await asyncio.sleep(max(0.0, turn - time.monotonic()))


@dataclass
class Replay:
    """What a run needs, and what comes of it."""

    gateway: Gateway
    town: Town
    callers: Callers
    sender: CommandSender
    results: Results
    seed: int

    async def play(self, messages: list[Message], at_once: int, pace: Pace, bars: Bars) -> None:
        """File every message and see it through."""
        began = time.monotonic()
        bars.begin("messages", len(messages))

        async def one(message: Message) -> None:
            await pace.wait()
            await self._story(Story(message, planned(self.seed, message.id), self.town, self.callers, self.sender))
            bars.advance("messages")

        await side_by_side(one, messages, at_once)
        self.results.seconds = time.monotonic() - began
        self.results.latencies.update(self.sender.ledger.seconds)
        self.results.unknown = self.sender.ledger.outcomes["unknown"]

    async def count_notified(self, at_once: int, bars: Bars) -> None:
        """Look into every resident's inbox, also of those who never signed in before: is each case told once?"""
        by_resident = defaultdict[str, list[Filed]](list)
        for filed in self.results.filed:
            by_resident[filed.resident].append(filed)
        bars.begin("inboxes", len(by_resident))

        async def one(phone: str) -> None:
            notified = await self._notified(self.callers.resident(phone))
            self.results.notified.update(notified[filed.case] for filed in by_resident[phone])
            bars.advance("inboxes")

        await side_by_side(one, by_resident, at_once)

    async def _story(self, story: Story) -> None:
        try:
            await self._filed(story)
        except (Refused, NoItemFits) as refused:
            self.results.refused[reason(refused)] += 1
            return
        except FAILURES as error:
            self.results.broken[reason(error)] += 1
            return
        assert story.filed is not None
        self.results.filed.append(story.filed)
        try:
            await story.settle()
        except FAILURES as error:
            self.results.broken[reason(error)] += 1

    async def _filed(self, story: Story) -> None:
        """File it; some of those who do so themselves watch their inbox meanwhile."""
        if story.planned.on_behalf or not story.planned.listens:
            await story.file()
            return
        async with listening(self.gateway, story.asker) as ear:
            await story.file()
            began, heard = story.began, await ear.heard(story.case["id"])
        if heard is not None:
            self.results.latencies.setdefault(TOLD, []).append(heard - began)

    async def _notified(self, resident: PhoneHolder) -> Counter[str]:
        """How often somebody was told that a case was filed, by case."""
        try:
            token = (await resident.token()).value
            messages = [message async for message in self.gateway.all("/v1/inbox", token=token)]
        except FAILURES as error:
            self.results.broken[reason(error)] += 1
            return Counter()
        return Counter(one["about"] for one in messages if one["template"].startswith("case-filed"))
