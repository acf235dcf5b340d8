"""NotifyReaction: the one reaction behind the rules of all subjects, with one set of look-ups for a batch of events."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from services.chassis.domain.entity import Copy
from services.chassis.domain.events import SchemaTooNew, by_type
from services.chassis.domain.values import Sealed, id_from
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import CopyMissing, Create, Effect, Handled
from services.chassis.storage.batch_loader import by_ids
from services.chassis.storage.mongo import Mongo
from services.chassis.storage.vault import Erased
from services.chassis.usecase import Container, Context
from services.contracts.notify.messages import MessageWritten, Via
from services.notify.audience.model import Organisation, Staff, Team
from services.notify.audience.queries import Address, Choices, Directory, look_up
from services.notify.inboxes.commands import Append
from services.notify.messages import metrics
from services.notify.messages.model import MAX_AGE, Message
from services.notify.preferences.model import Preferences
from services.notify.rules.model import Occurrence, Subject, Tell
from services.notify.templates.model import Facts, Said, write

_CODE = "code"
"""The sealed field of an event that is texted to a phone."""


@dataclass(frozen=True)
class Match:
    """A rule that holds for an event, and the subject to which both belong."""

    subject: Subject[Any]
    rule: Tell[Any]
    what: Occurrence[Any]

    @cached_property
    def choices(self) -> Choices:
        """Where to look for those who are to hear."""
        return self.rule.to.choices(self.what)

    @property
    def before(self) -> Choices:
        """Where the rule has nobody to find if it is to hold; an empty list is nobody."""
        return self.rule.instead_of.choices(self.what) if self.rule.instead_of else []

    @property
    def asked(self) -> Sequence[Choices]:
        """All that is to be looked up: where staff are found without their accounts, also who did it."""
        found = {address.kind for choice in self.choices for address in choice} if self.rule.to.staff else set()
        return self.choices, self.before, [[Address("account", self.what.by)]] if found & {"person", "team"} else []

    def recipients(self, directory: Directory) -> Sequence[str]:
        """Who hears: of staff, never the one who did it."""
        if directory.anybody(self.before):
            return ()
        if self.rule.unless_own and directory.includes(self.choices, self.what.by):
            return ()
        return directory.first(self.choices, but=self.what.by if self.rule.to.staff else None)


@dataclass(frozen=True)
class Draft:
    """What one person is to be told, as they prefer it; ``message`` is its id, the same at each repeat of the event."""

    match: Match
    person: str
    message: str
    preferences: Preferences

    @property
    def quoted(self) -> str | None:
        """The entity whose words the text repeats."""
        rule = self.match.rule
        return self.match.what.entity if rule.words or rule.quotes else None

    @property
    def covered(self) -> bool:
        """Whether its short text stands for it until it is opened: it is sensitive, or names a danger."""
        return self.match.subject.sensitive(self.match.what) or self.match.rule.quotes is not None

    @property
    def language(self) -> str:
        """What they chose; a code that a phone asks for comes in the language in which it was asked for."""
        asked_in = getattr(self.match.what.event, "language", None)
        if self.match.rule.by_phone and self.preferences.version == 0 and asked_in:
            return str(asked_in)
        return self.preferences.language

    @property
    def key_subjects(self) -> tuple[str, ...]:
        """Under whose keys the words are sealed: the recipient's, and inside that of what is quoted."""
        return (self.person,) if self.quoted is None else (self.person, self.quoted)


class NotifyReaction:
    """The reaction ``tell``. Under another name it would run on everything again."""

    name: ClassVar[str] = "tell"
    remembers: ClassVar[bool] = True

    def __init__(self, subjects: Iterable[Subject[Any]]) -> None:
        """``subjects``: all of them; the reaction wants the events that have rules."""
        self._subjects = {event.type_name(): subject for subject in subjects for event in subject.announced}
        copies = [subject.copy for subject in self._subjects.values() if subject.copy is not None]
        self.reads: tuple[type[Copy[Any]], ...] = tuple(dict.fromkeys((Organisation, Staff, Team, *copies)))
        self.types = by_type({rule.event for subject in self._subjects.values() for rule in subject.rules})

    def wants(self, delivered: Delivered) -> bool:
        """Every event that has a rule."""
        return delivered.type in self.types

    async def batch(self, container: Container, events: Sequence[Delivered]) -> Handled:
        """What handles each event of one batch; copies, recipients and earlier messages are looked up for all."""
        occurrences = await self._occurrences(container.mongo, events)
        by_event = defaultdict(list)
        for draft in await self._new_drafts(container, occurrences):
            by_event[draft.match.what.id].append(draft)

        async def handled(delivered: Delivered) -> Sequence[Effect]:
            if delivered.id not in occurrences:
                delivered.event(self.types)  # raises where it cannot be read: then it is parked for that reason
                raise CopyMissing(f"{delivered.type} of {delivered.entity}, of which nothing is known")
            if delivered.id not in by_event:
                return ()
            ctx = container.system_context(self.name, self._cause(delivered.id), delivered.trace)
            return await _effects(ctx, by_event[delivered.id])

        return handled

    async def _occurrences(self, mongo: Mongo, events: Sequence[Delivered]) -> dict[str, Occurrence[Any]]:
        """The events that can be read and whose entity is known, where the subject needs to know it."""
        copies = await self._copies(mongo, events)
        found = {}
        for one in events:
            with suppress(ValidationError, SchemaTooNew):
                event, copy = one.event(self.types), copies.get(one.entity)
                if copy is not None or self._subjects[one.type].copy is None:
                    found[one.id] = Occurrence(one.id, event, one.entity, one.version, one.at, one.by, copy)
        return found

    async def _copies(self, mongo: Mongo, events: Sequence[Delivered]) -> dict[str, Copy[Any]]:
        """The copies of the entities of these events, by their ids: one query for each kind."""
        ids = defaultdict(set)
        for one in events:
            kind = self._subjects[one.type].copy
            if kind is not None:
                ids[kind].add(one.entity)
        found = await asyncio.gather(*(by_ids(mongo, kind, some) for kind, some in ids.items()))
        return {id: copy for some in found for id, copy in some.items()}

    async def _new_drafts(self, container: Container, occurrences: Mapping[str, Occurrence[Any]]) -> list[Draft]:
        """Who gets which notice, without those that were written before."""
        drafts = await self._drafts(container, list(self._matches(occurrences.values())))
        chosen, written, _ = await asyncio.gather(
            by_ids(container.mongo, Preferences, {one.preferences.id for one in drafts}),
            _written(container.mongo, [one.message for one in drafts]),
            container.vault.prefetch_keys({subject for one in drafts for subject in one.key_subjects}),
        )
        return [
            replace(one, preferences=chosen.get(one.preferences.id, one.preferences))
            for one in drafts
            if one.message not in written
        ]

    def _matches(self, occurrences: Iterable[Occurrence[Any]]) -> Iterator[Match]:
        for what in occurrences:
            subject = self._subjects[what.event.type_name()]
            for rule in subject.rules:
                if rule.event is type(what.event) and rule.when(what):
                    yield Match(subject, rule, what)

    async def _drafts(self, container: Container, matches: Sequence[Match]) -> Sequence[Draft]:
        """Each person once for each event: of several rules that reach them, the first counts."""
        asked = [choice for match in matches for choices in match.asked for choice in choices]
        directory = await look_up(container, (address for choice in asked for address in choice))
        drafts: dict[str, Draft] = {}
        for match in matches:
            for person in match.recipients(directory):
                message = id_from(Message.entity_type, f"{self._cause(match.what.id)}:{person}")
                drafts.setdefault(message, Draft(match, person, message, _untouched(person)))
        return list(drafts.values())

    def _cause(self, event_id: str) -> str:
        return f"event:{event_id}:{self.name}"


@lru_cache(maxsize=10_000)
def _untouched(person: str) -> Preferences:
    return Preferences.untouched(person)


async def _effects(ctx: Context, drafts: Iterable[Draft]) -> Sequence[Effect]:
    """First the lines of the inboxes, then the messages: where a message is found, its line was written."""
    lines, messages = [], []
    for draft in drafts:
        written = await _message(ctx, draft)
        if written is None:
            continue
        messages.append(Create.of(Message, ctx, draft.person, written))
        if Via.INBOX in written.channels:
            lines.append(Append(draft.person, messages[-1].entity.id, ctx.now()))
    return [*lines, *messages]


async def _message(ctx: Context, draft: Draft) -> MessageWritten | None:
    """None where no channel is left, or where the recipient was erased or what is quoted was forgotten."""
    channels = _channels(ctx, draft)
    if not channels:
        return None
    try:
        written = await _sealed(ctx, draft, channels)
    except Erased:
        return None
    for via in channels:
        metrics.messages.labels(via, "written").inc()
    return written


def _channels(ctx: Context, draft: Draft) -> list[Via]:
    rule, what, preferences = draft.match.rule, draft.match.what, draft.preferences
    if rule.by_phone:
        texted = what.event.phone is not None and ctx.now() < what.event.expires_at
        return [*([Via.INBOX] if rule.kept else []), *([Via.SMS] if texted else [])]
    if ctx.now() - what.at >= MAX_AGE:
        return [Via.INBOX]
    if rule.by_all:
        return [Via.INBOX, Via.SMS, *([Via.EMAIL] if preferences.email else [])]
    welcome = preferences.wants(Via.SMS) if rule.to.staff else not preferences.declines(Via.SMS)
    texted = [Via.SMS] if rule.texted and welcome else []
    mailed = [Via.EMAIL] if preferences.wants(Via.EMAIL) else []
    return [Via.INBOX, *texted, *mailed]


async def _sealed(ctx: Context, draft: Draft, channels: list[Via]) -> MessageWritten:
    rule, what, person = draft.match.rule, draft.match.what, draft.person
    await ctx.vault.ensure_keys(draft.key_subjects)
    language, keys, seal = draft.language, draft.key_subjects, ctx.vault.seal_under
    texts, zone = ctx.container.texts, ctx.dependency(ZoneInfo)
    text = write(texts, zone, rule.template, language, _said(ctx, draft), short=draft.covered or Via.SMS in channels)
    return MessageWritten(
        person_id=person,
        template=rule.template,
        language=language,
        title=seal(text.title, [person], "message-title"),
        body=seal(text.body, keys, "message-body"),
        text=seal(text.sms, keys, "message-text") if text.sms is not None else None,
        about=None if rule.by_phone else what.entity,
        quoted=draft.quoted,
        covered=draft.covered,
        because_of=what.id,
        happened_at=what.at,
        urgent=rule.urgent,
        on_call=rule.by_all,
        channels=channels,
        phone=what.event.phone if rule.by_phone else None,
        expires_at=what.event.expires_at if rule.by_phone else what.at + MAX_AGE,
        not_before=None if rule.urgent else draft.preferences.free_from(ctx.now(), zone),
    )


def _said(ctx: Context, draft: Draft) -> Said:
    """All that the template may use, and what of it may be seen by others."""
    subject, facts = draft.match.subject, _facts(ctx, draft)
    return Said(facts, subject.outside(facts) if subject.sensitive(draft.match.what) else facts)


def _facts(ctx: Context, draft: Draft) -> Facts:
    """Every fact. Quoted words and codes are the recipient's; their keys are here."""
    rule, what, subject = draft.match.rule, draft.match.what, draft.match.subject
    facts = dict(subject.facts(what, ctx.vault.master.blind))
    if rule.words is not None:
        facts["words"] = _opened(ctx, draft, what.event, rule.words)
    if rule.quotes is not None:
        facts |= subject.quoted(_opened(ctx, draft, what.copy, rule.quotes))
    if rule.by_phone and hasattr(what.event, _CODE):
        facts[_CODE] = _opened(ctx, draft, what.event, _CODE)
    return facts


def _opened(ctx: Context, draft: Draft, source: object, field: str) -> str:
    """A sealed field of an event or a copy; Erased where the key that it is sealed under is gone."""
    sealed: Sealed = getattr(source, field)
    opened = ctx.vault.open(sealed, draft.quoted or draft.person, field, about=draft.person)
    if opened is None:
        raise Erased
    return opened


async def _written(mongo: Mongo, ids: Sequence[str]) -> set[str]:
    return {*await mongo.by_ids(Message.collection(), ids, {"_id": 1})}
