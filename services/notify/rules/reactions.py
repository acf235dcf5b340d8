"""NotifyReaction: the one reaction behind the whole table, with the look-ups for a batch of events made at once."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from services.chassis.domain.entity import Copy
from services.chassis.domain.events import Event, SchemaTooNew, by_type
from services.chassis.domain.values import id_from
from services.chassis.messaging.reactions import CopyMissing, Create, Delivered, Effect, Handled
from services.chassis.storage.batch_loader import by_ids
from services.chassis.storage.mongo import Mongo
from services.chassis.storage.vault import Erased
from services.chassis.telemetry import metrics
from services.chassis.usecase import Container, Context
from services.contracts.members.accounts import SignInCodeIssued
from services.contracts.members.teams import TeamMemberJoined
from services.contracts.notify.messages import MessageWritten, Via
from services.contracts.requests import tracking
from services.notify.audience.model import Case, Organisation, Staff, Team
from services.notify.audience.queries import look_up
from services.notify.inboxes.commands import Append
from services.notify.messages.model import MAX_AGE, Message
from services.notify.preferences.model import Preferences, preferences_id
from services.notify.rules import model
from services.notify.rules.model import TABLE, Occurrence, Tell
from services.notify.templates.model import Texts, Written

_ABOUT: Mapping[type[Event], type[Copy] | None] = {TeamMemberJoined: Team, SignInCodeIssued: None}
_BY_PHONE = "code"


@dataclass(frozen=True)
class Draft:
    """What one person is to be told of one event."""

    rule: Tell
    what: Occurrence
    person: str
    message: str
    preferences: Preferences


class NotifyReaction:
    """The reaction ``tell``: renaming it would tell everything again."""

    name: ClassVar[str] = "tell"
    reads: ClassVar[tuple[type[Copy], ...]] = (Case, Organisation, Staff, Team)
    remembers: ClassVar[bool] = True
    types: ClassVar[dict[str, type[Event]]] = by_type({rule.event for rule in TABLE})

    async def batch(self, container: Container, events: Sequence[Delivered]) -> Handled:
        """What handles each event of one batch: who hears of it, and what was written before, are known for all."""
        happenings = await self._happenings(container.mongo, events)
        letters = await self._letters(container, happenings)
        by_event = defaultdict(list)
        for letter in letters:
            by_event[letter.what.id].append(letter)

        async def handled(delivered: Delivered) -> Sequence[Effect]:
            if delivered.id not in happenings:
                delivered.event(self.types)  # raises for one that cannot be read, so that it is parked for that
                raise CopyMissing(f"{delivered.type} of {delivered.entity}, of which nothing is known")
            if delivered.id not in by_event:
                return ()
            ctx = container.system_context(self.name, self._cause(delivered.id), delivered.trace)
            return [effect for letter in by_event[delivered.id] for effect in await _told(ctx, letter)]

        return handled

    async def _happenings(self, mongo: Mongo, events: Sequence[Delivered]) -> dict[str, Occurrence]:
        """The events of a batch that can be read and of whose thing something is known."""
        cases, teams = await asyncio.gather(self._copies(mongo, Case, events), self._copies(mongo, Team, events))
        found = {}
        for delivered in events:
            with suppress(ValidationError, SchemaTooNew):
                event = delivered.event(self.types)
                kind = _ABOUT.get(type(event), Case)
                what = Occurrence(
                    delivered.id,
                    event,
                    delivered.entity,
                    delivered.version,
                    delivered.at,
                    delivered.by,
                    cases.get(delivered.entity) if kind is Case else None,
                    teams.get(delivered.entity) if kind is Team else None,
                )
                if kind is None or what.case or what.team:
                    found[delivered.id] = what
        return found

    async def _copies(self, mongo: Mongo, kind: type[Copy], events: Sequence[Delivered]) -> dict[str, Any]:
        """What is known of the things of this kind that these events are about."""
        about = {one.entity for one in events if _ABOUT.get(self.types[one.type], Case) is kind}
        return await by_ids(mongo, kind, about)

    async def _letters(self, container: Container, happenings: Mapping[str, Occurrence]) -> list[Draft]:
        """Who is told what, apart from what was told before."""
        drafts = await self._drafts(container.mongo, happenings.values())
        chosen, written, _ = await asyncio.gather(
            by_ids(container.mongo, Preferences, {preferences_id(person) for _, _, person, _ in drafts}),
            _written(container.mongo, [message for *_, message in drafts]),
            container.vault.prefetch_keys({person for _, _, person, _ in drafts}),
        )
        return [
            Draft(rule, what, person, message, chosen.get(preferences_id(person)) or _untouched(person))
            for rule, what, person, message in drafts
            if message not in written
        ]

    async def _drafts(self, mongo: Mongo, what: Iterable[Occurrence]) -> list[tuple[Tell, Occurrence, str, str]]:
        """(rule, happening, person, message id), a person once for each happening."""
        matching = [(rule, one) for one in what for rule in TABLE if rule.event is type(one.event) and rule.when(one)]
        directory = await look_up(
            mongo, (address for rule, one in matching for choice in rule.to.choices(one) for address in choice)
        )
        drafts: dict[str, tuple[Tell, Occurrence, str, str]] = {}
        for rule, one in matching:
            for person in directory.first(rule.to.choices(one), but=one.by if rule.to.staff else None):
                message = id_from(Message.entity_type, f"{self._cause(one.id)}:{person}")
                drafts.setdefault(message, (rule, one, person, message))
        return list(drafts.values())

    def _cause(self, event_id: str) -> str:
        return f"event:{event_id}:{self.name}"


@lru_cache(maxsize=10_000)
def _untouched(person: str) -> Preferences:
    return Preferences.untouched(person)


async def _told(ctx: Context, letter: Draft) -> Sequence[Effect]:
    """The effects of one letter: none where no channel is left, or where the recipient was erased."""
    channels = _channels(ctx, letter)
    if not channels:
        return ()
    try:
        written = await _sealed(ctx, letter, channels)
    except Erased:
        return ()
    for via in channels:
        metrics.messages.labels(via, "written").inc()
    create = Create.of(Message, ctx, letter.person, written)
    line = [Append(letter.person, create.entity.id, ctx.now())] if Via.INBOX in channels else []
    return (*line, create)


def _channels(ctx: Context, letter: Draft) -> list[Via]:
    rule, preferences, age = letter.rule, letter.preferences, ctx.now() - letter.what.at
    if rule.by_phone:
        return [Via.SMS] if ctx.now() < letter.what.event.expires_at else []
    if age >= MAX_AGE:
        return [Via.INBOX]
    welcome = preferences.wants(Via.SMS) if rule.to.staff else not preferences.declines(Via.SMS)
    texted = [Via.SMS] if rule.texted and welcome else []
    mailed = [Via.EMAIL] if preferences.wants(Via.EMAIL) else []
    return [Via.INBOX, *texted, *mailed]


async def _sealed(ctx: Context, letter: Draft, channels: list[Via]) -> MessageWritten:
    rule, what, person = letter.rule, letter.what, letter.person
    await ctx.vault.ensure_keys([person])
    language = letter.preferences.language
    text = ctx.dependency(Texts).write(rule.template, language, _facts(ctx, letter), channels)
    return MessageWritten(
        person_id=person,
        template=rule.template,
        language=language,
        about=None if rule.by_phone else what.entity,
        because_of=what.id,
        happened_at=what.at,
        urgent=rule.urgent,
        channels=channels,
        phone=what.event.phone if rule.by_phone else None,
        expires_at=what.event.expires_at if rule.by_phone else what.at + MAX_AGE,
        not_before=None if rule.urgent else letter.preferences.free_from(ctx.now(), ctx.dependency(ZoneInfo)),
        **_seals(ctx, person, text),
    )


def _seals(ctx: Context, person: str, text: Written) -> dict[str, Any]:
    return {
        "title": ctx.vault.seal(text.title, person, "message-title"),
        "body": ctx.vault.seal(text.body, person, "message-body"),
        "text": ctx.vault.seal(text.sms, person, "message-text") if text.sms is not None else None,
    }


def _facts(ctx: Context, letter: Draft) -> dict[str, Any]:
    """All that the template may use. Quoted words and codes belong to the recipient, whose key is held."""
    rule, what = letter.rule, letter.what
    facts = model.facts(what)
    for name, field in (("words", rule.words), ("code", _BY_PHONE if rule.by_phone else None)):
        if field is not None:
            opened = ctx.vault.open(getattr(what.event, field), letter.person, field)
            if opened is None:
                raise Erased
            facts[name] = opened
    if what.case is not None:
        facts["tracking"] = tracking.code_from(ctx.vault.master.blind(tracking.BLIND, what.case.number))
    return facts


async def _written(mongo: Mongo, ids: Sequence[str]) -> set[str]:
    if not ids:
        return set()
    found = await mongo.find(Message.collection(), {"_id": {"$in": list(ids)}}, show={"_id": 1}, limit=len(ids))
    return {document["_id"] for document in found}
