"""The story of one message: how it is filed, and what is done with it until it is closed."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from deploy.cli.city.client import Refused
from deploy.cli.city.forms import answers
from deploy.cli.city.tokens import Bearer
from deploy.local import Trouble
from services.contracts.members.areas import Level, enclosing
from tests.replay.callers import Callers, Town
from tests.replay.filing import CommandSender
from tests.replay.messages import Message, parts
from tests.replay.outcomes import PlannedOutcome, phone
from tests.replay.results import Filed

# More moves than the longest story has, with those in between that somebody else made unnecessary.
MOST_MOVES = 40
# For a message that does not say when it was written: any instant, but the same in every run.
UNDATED = datetime(2024, 1, 1, tzinfo=UTC)
OVER = ("closed", "rejected", "cancelled")
NO_REPLY = "您反映的问题已核实处理，感谢您的来信。"


class NoItemFits(Exception):
    """The city suggests no service item for the words of a message."""


@dataclass
class Story:
    """One message on its way; ``case`` is the case as it was last seen, ``began`` when it was filed (monotonic)."""

    message: Message
    planned: PlannedOutcome
    town: Town
    callers: Callers
    sender: CommandSender
    filed: Filed | None = None
    case: dict[str, Any] = field(default_factory=dict)
    began: float = 0
    taken: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)

    async def file(self) -> None:
        """Find the item, file the request, by the resident or on their behalf.

        Refused where it is not taken, NoItemFits where there is nothing to ask for.
        """
        community = self.town.places.of(f"{self.message.title}\n{self.message.text}", self.message.user)
        first = parts(self.message.text)[0]
        who, behalf = await self._filer(community)
        item = await self._item(who, first)
        body = {
            "item": item,
            "area": community,
            "title": self.message.heading,
            "text": first,
            "answers": answers(self.town.items[item]["form"], self._filed_at()),
            **behalf,
        }
        self.began = time.monotonic()
        self.case = await self.sender.command(who, "file", ("POST", "/v1/requests", f"{self.message.id}:file"), body)
        self.filed = Filed(
            message=self.message.id,
            case=self.case["id"],
            number=self.case["number"],
            resident=phone(self.message.user),
            system=self.case["system"],
            by="operator" if behalf else "resident",
        )

    async def settle(self) -> None:
        """Add the rest of a long text, then let everybody do their part until the case is over.

        Refused where the story cannot go on.
        """
        assert self.filed is not None
        for piece in parts(self.message.text)[1:]:
            await self._step(self.asker, "comment", {"text": piece})
        for move in range(MOST_MOVES):
            if self.case["state"] in OVER:
                # Whoever had it last settled it, also where this is a repeat that found it settled.
                self.filed.steps, self.filed.tier = self.taken, self._tier
                return
            try:
                await MOVES[self.case["state"]](self)
            except Refused as refused:
                # Something else came first: a team without room passed the case on, or this is a repeated replay.
                if move == MOST_MOVES - 1:
                    raise
                await self._look_again(refused)

    async def _filer(self, community: str) -> tuple[Bearer, dict[str, str]]:
        resident = self.callers.resident(phone(self.message.user))
        if not self.planned.on_behalf:
            return resident, {}
        body = {"phone": resident.phone, "area": community}
        key = f"{self.message.id}:person"
        person = await self.sender.unlogged(self.callers.operator, "POST", "/v1/people", key, body)
        return self.callers.operator, {"on_behalf_of": person["id"]}

    async def _item(self, who: Bearer, text: str) -> str:
        words = {"title": self.message.heading, "text": text}
        found = await self.sender.ask(who, "POST", "/v1/catalogue/suggest", words)
        if not found["items"]:
            raise NoItemFits
        code: str = found["items"][0]["code"]
        return code

    def _filed_at(self) -> str:
        """An instant for forms that ask since when: what the file says is local time without a zone."""
        at = self.message.filed_at or UNDATED
        return at.isoformat()

    async def wait(self) -> None:
        """Nobody has it: a dispatcher, or after two returns the supervisor, gives it to the street's centre."""
        if self.case["inside"] is None:
            await self._look()
        area, twice = self.case["area"], self.case["inside"]["returns"] >= 2
        director = self.callers.supervisor(area) if twice else self.callers.dispatcher(area)
        await self._give(director, "dispatch")

    async def take(self) -> None:
        """Its handler has it: mostly takes it on, now and then gives it back, or the dispatcher moves it."""
        if self.taken["return"] < self.planned.returned:
            await self._step(self._handler, "return", {"reason": "不属于本单位职责范围，请改派。"})
        elif self.planned.redispatched and not self.taken["re-dispatch"] and self.case["handler"]["id"] != self._centre:
            await self._give(self.callers.dispatcher(self.case["area"]), "re-dispatch")
        else:
            if self.planned.urged and not self.taken["urge"]:
                await self._step(self.asker, "urge")
            await self._step(self._handler, "accept")

    async def begin(self) -> None:
        """Taken on: the work begins."""
        await self._step(self._handler, "start")

    async def work(self) -> None:
        """Under way: now and then it has to wait, then it is done with the real reply."""
        if self.planned.paused and not self.taken["pause"]:
            await self._step(self._handler, "pause", {"because": "other_body", "reason": "等待有关单位现场勘查。"})
            return
        first, *rest = parts(self.message.reply or NO_REPLY)
        handler = self._handler
        await self._step(handler, "resolve", {"outcome": self._outcome, "answer": first})
        for piece in rest:
            await self._step(handler, "comment", {"text": piece, "public": True})

    async def go_on(self) -> None:
        """What it waited for is there."""
        await self._step(self._handler, "resume")

    async def ask_back(self) -> None:
        """Done: the resident rates it or wants it done again; who did not file it is called, and then it is closed."""
        if self.planned.reopened and not self.taken["reopen"]:
            await self._step(self.asker, "reopen", {"reason": "问题没有彻底解决，请继续办理。"})
        elif not self.planned.on_behalf and not self.taken["rate"]:
            await self._step(self.asker, "rate", {"score": self.planned.score, "solved": self.planned.content})
        elif not self.taken["call-back"]:  # who filed it may neither call back nor close it
            heard = {"reached": True, "solved": self.planned.content, "satisfied": self.planned.content}
            await self._step(self.callers.dispatcher(self.case["area"]), "call-back", heard)
        else:
            await self._step(self.callers.dispatcher(self.case["area"]), "close", {})

    @property
    def _outcome(self) -> str:
        return "fixed" if self.planned.content else "partly_fixed"

    @property
    def _centre(self) -> str:
        """The service centre of the street; Trouble where it has none."""
        street = enclosing(self.case["area"], Level.SUB_DISTRICT)
        if street not in self.town.centres:
            raise Trouble("Some street has no centre that cases could be given to: found one.", code=1)
        return self.town.centres[street]

    @property
    def _handler(self) -> Bearer:
        return self.callers.handler(self.case["handler"]["id"])

    @property
    def _tier(self) -> str:
        """Of whoever has it, or had it last."""
        handler = self.case["handler"]
        return handler["tier"] if handler else ""

    @property
    def asker(self) -> Bearer:
        """Who asks for it: the resident, or the hotline on their behalf."""
        return self.callers.operator if self.planned.on_behalf else self.callers.resident(phone(self.message.user))

    async def _give(self, director: Bearer, name: str) -> None:
        await self._step(director, name, {"organisation_id": self._centre}, route=("PUT", "handler"))

    async def _step(
        self, who: Bearer, name: str, body: Mapping[str, Any] | None = None, route: tuple[str, str] | None = None
    ) -> None:
        """Take a step; ``door`` is method and last part of the path where the name alone does not say it."""
        method, last = route or ("POST", name)
        self.asked[name] += 1
        path, key = f"/v1/requests/{self.case['id']}/{last}", f"{self.message.id}:{name}:{self.asked[name]}"
        answer = await self.sender.command(who, name, (method, path, key), body)
        self.taken[name] += 1
        self.case = answer

    async def _look(self) -> None:
        """See how it stands now, with the eyes of the hotline."""
        self.case = await self.sender.ask(self.callers.operator, "GET", f"/v1/requests/{self.case['id']}")

    async def _look_again(self, refused: Refused) -> None:
        """See what came first; the refusal is raised again where nothing did."""
        before = (self.case["version"], self.case["handler"])
        await self._look()
        if before == (self.case["version"], self.case["handler"]):
            raise refused


MOVES: Mapping[str, Callable[[Story], Awaitable[None]]] = {
    "new": Story.wait,
    "verified": Story.wait,
    "returned": Story.wait,
    "dispatched": Story.take,
    "accepted": Story.begin,
    "in_progress": Story.work,
    "suspended": Story.go_on,
    "resolved": Story.ask_back,
    "callback": Story.ask_back,
}
