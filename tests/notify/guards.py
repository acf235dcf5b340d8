"""Who may do what in notify: what is right for each command, role and person, said apart from the code."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.chassis.domain.events import Event
from services.chassis.domain.scope import PUBLIC, SYSTEM, Actor
from services.chassis.domain.values import Sealed, now
from services.chassis.usecase import Container, Context, known_as
from services.contracts.members.roles import Role
from services.contracts.notify.messages import (
    DeliveryFailed,
    DeliveryGivenUp,
    DeliveryHeld,
    DeliveryMade,
    GivenUpBecause,
    MessageRead,
    MessageWritten,
    Via,
)
from services.contracts.notify.preferences import LanguageKept, PreferencesSet
from services.notify.channels.model import SendFailed
from services.notify.inboxes.commands import read_message
from services.notify.messages import commands as deliveries
from services.notify.messages.model import Message
from services.notify.preferences.commands import SetPreferences, keep_language, set_preferences
from services.notify.preferences.model import Preferences
from tests.members.callers import Who, by_role
from tests.support.guards import OK, Row, stored, twin

OWN, OTHER = "person_own", "person_other"
_NUMBERS = itertools.count(100)
_WORDS = Sealed("sealed")
_INBOX, _PHONE = (Via.INBOX, Via.SMS), (Via.SMS,)


def callers() -> Iterator[tuple[Who, Actor]]:
    """Each role as the recipient, as somebody else, and as an account without a person."""
    for role in (PUBLIC, SYSTEM):
        yield Who(role), Who(role).actor()
    for role, person in itertools.product(Role, (OWN, OTHER, None)):
        yield Who(role), replace(Who(role).actor(), person=person)


def rows(container: Container) -> list[Row]:
    """The whole table."""
    return [*_deliveries(container), *_reading(container), *_preferences(container)]


def _deliveries(container: Container) -> Iterator[Row]:
    """How far a delivery has come: the timers record it, and nobody else."""
    untouched = Preferences.untouched(OWN)
    works: tuple[tuple[Any, tuple[Any, ...], type[Event]], ...] = (
        (deliveries.note_made, (), DeliveryMade),
        (deliveries.note_failed, (SendFailed("away"), untouched), DeliveryFailed),
        (deliveries.note_held, (now() + timedelta(hours=1),), DeliveryHeld),
        (deliveries.note_given_up, (GivenUpBecause.NOT_WANTED,), DeliveryGivenUp),
    )
    for (work, given, event), (who, actor) in itertools.product(works, callers()):
        yield _on_message(container, work, actor, by_role(who) or OK, event, _INBOX, Via.SMS, *given)


def _reading(container: Container) -> Iterator[Row]:
    """A message in an inbox is its recipient's; one for a phone alone is in nobody's."""
    for channels, (who, actor) in itertools.product((_INBOX, _PHONE), callers()):
        mine = who.role == SYSTEM or (channels is _INBOX and actor.person == OWN)
        right = by_role(who, *Role) or (OK if mine else "not-found")
        yield _on_message(container, read_message, actor, right, MessageRead, channels)


def _preferences(container: Container) -> Iterator[Row]:
    """Preferences have the id of the person who sets them: those of others cannot be named."""
    for who, actor in callers():
        person = actor.person and f"person_p{next(_NUMBERS)}"

        async def run(ctx: Context) -> Any:
            if ctx.actor.person:
                await ctx.vault.mint(ctx.actor.person, ctx.now())
            return await set_preferences(ctx, SetPreferences(channels=[Via.SMS]))

        async def keep(ctx: Context, new: str = f"person_p{next(_NUMBERS)}") -> Any:
            return await keep_language(ctx, new, "en")

        yield Row(known_as(keep_language).name, f"by {who.label}", actor, keep, by_role(who) or OK, LanguageKept)
        right = by_role(who, *Role) or (OK if person else "person-needed")
        named = replace(actor, person=person) if person else actor
        yield Row(known_as(set_preferences).name, f"by {who.label}", named, run, right, PreferencesSet)


def _on_message(
    container: Container,
    work: Any,
    actor: Actor,
    right: str,
    records: type[Event],
    channels: tuple[Via, ...],
    *given: Any,
) -> Row:
    """A command on a message of its own to OWN."""
    id = f"message_{next(_NUMBERS)}"

    async def run(ctx: Context) -> Any:
        return await work(ctx, id, *given)

    label = f"{'+'.join(channels)}, by {actor.id} as {actor.person}"
    thing = twin(Message, stored(Message, _written(channels)), id, container)
    return Row(known_as(work).name, label, actor, run, right, records, thing)


def _written(channels: tuple[Via, ...]) -> MessageWritten:
    return MessageWritten(
        person_id=OWN,
        template="case-filed",
        language="zh",
        title=_WORDS,
        body=_WORDS,
        because_of="case_lamp:1",
        happened_at=now(),
        urgent=False,
        channels=list(channels),
    )
