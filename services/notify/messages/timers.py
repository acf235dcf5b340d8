"""Deliveries: a due message is sent through its channel, outside any write; then the outcome is recorded."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from services.chassis.domain.values import Sealed
from services.chassis.schedule.timers import Timer
from services.chassis.storage.batch_loader import by_id
from services.chassis.storage.counters import Counters
from services.chassis.storage.documents import load
from services.chassis.storage.vault import KeyNotHere
from services.chassis.telemetry import logs
from services.chassis.usecase import Context
from services.contracts.notify.messages import (
    DeliveryFailed,
    DeliveryGivenUp,
    DeliveryHeld,
    DeliveryMade,
    GivenUpBecause,
    Via,
)
from services.notify.audience.model import Person
from services.notify.channels.model import Notice, Senders, SendFailed
from services.notify.messages import commands
from services.notify.messages.metrics import messages
from services.notify.messages.model import Message, TextBudget
from services.notify.preferences.model import Preferences, preferences_id

log = logs.get()

_OUTCOMES = {DeliveryMade: "sent", DeliveryFailed: "failed", DeliveryHeld: "held", DeliveryGivenUp: "given_up"}
_SENTENCES = {
    DeliveryMade: "a message is sent",
    DeliveryFailed: "a channel did not accept a message",
    DeliveryHeld: "a message waits for the end of quiet hours",
    DeliveryGivenUp: "a message is given up",
}

EVERY = 0.2
_SECONDS = 12.0  # less than the time that a worker waits when it stops, so that an accepted message is recorded


def delivery(via: Via) -> Callable[[Context, str], Awaitable[None]]:
    """One attempt to deliver a message through a channel.

    The call is made before anything is written, under a key that never changes. After a crash in between, or from a
    second worker, it is sent again with the same key: at least once. The outcome is recorded under the cause of this
    attempt. A write conflict repeats the record, never the call.
    """

    async def attempt(ctx: Context, id: str) -> None:
        message = await _message(ctx, id)
        due = None if message is None else message.next_at(via)
        if message is None or due is None or due > ctx.now():
            return
        known, person = await asyncio.gather(  # in one round trip
            by_id(ctx.container.mongo, Preferences, preferences_id(message.person_id)),
            by_id(ctx.container.mongo, Person, message.person_id),
        )
        preferences = known or Preferences.untouched(message.person_id)
        free = ctx.now() if message.urgent else preferences.free_from(ctx.now(), ctx.dependency(ZoneInfo))
        if message.expires_at <= ctx.now():
            left = await commands.note_given_up(ctx, id, via, GivenUpBecause.EXPIRED)
        # a sign-in code has its own phone number: it was asked for; and who is on call is reached in any case
        elif message.phone is None and not message.on_call and preferences.declines(via):
            left = await commands.note_given_up(ctx, id, via, GivenUpBecause.NOT_WANTED)
        elif via is Via.SMS and message.phone is None and person is not None and person.voice_only:
            left = await commands.note_given_up(ctx, id, via, GivenUpBecause.VOICE_ONLY)
        elif free > ctx.now():
            left = await commands.note_held(ctx, id, via, free)
        else:
            left = await _try(ctx, message, via, preferences, person)
        _count(left, via)

    return attempt


timers = (
    Timer("deliver-urgent-sms", Message, "next_urgent_sms_at", delivery(Via.SMS), EVERY),
    Timer("deliver-sms", Message, "next_sms_at", delivery(Via.SMS), EVERY),
    Timer("deliver-email", Message, "next_email_at", delivery(Via.EMAIL), EVERY),
)
"""A timer for each channel, so that a channel that hangs does not delay another; urgent messages have their own."""


class _TooMany(Exception):
    """A number got as many text messages today as it may get."""


async def _try(ctx: Context, message: Message, via: Via, preferences: Preferences, person: Person | None) -> Message:
    try:
        address = preferences.email if via is Via.EMAIL else _phone(message, person)
        await _send(ctx, message, via, address)
    except _TooMany:
        return await commands.note_given_up(ctx, message.id, via, GivenUpBecause.TOO_MANY)
    except SendFailed as failure:
        return await commands.note_failed(ctx, message.id, via, failure, preferences)
    return await commands.note_made(ctx, message.id, via)


def _count(message: Message, via: Via) -> None:
    """Count and log what was recorded: after the write, so that a conflict or a repeat counts nothing twice."""
    for event in message.fresh:
        messages.labels(via, _OUTCOMES[type(event)]).inc()
        facts = event.model_dump(include={"attempt", "because", "reason"})
        write = log.warning if isinstance(event, DeliveryGivenUp) else log.info
        write(_SENTENCES[type(event)], message=message.id, channel=via, **facts)


async def _send(ctx: Context, message: Message, via: Via, address: Sealed | None) -> None:
    notice = await _notice(ctx, message, via, address)
    if via is Via.SMS:
        await _expect_budget(ctx, message, notice)
    try:
        async with asyncio.timeout(_SECONDS):
            await ctx.dependency(Senders).by[via].send(notice)
    except TimeoutError:
        raise SendFailed("no answer in time") from None
    except SendFailed:
        raise
    except Exception as error:
        # An unexpected error is recorded by its class only: its text may repeat what was sent.
        log.error("a sender failed", channel=via, message=message.id, reason=type(error).__name__)
        raise SendFailed(f"failed: {type(error).__name__}") from None


async def _expect_budget(ctx: Context, message: Message, notice: Notice) -> None:
    """Count a text message, once however often it is tried. Of the number only a keyed hash is kept, for two days."""
    day, sort = ctx.now().astimezone(ctx.dependency(ZoneInfo)).date(), "urgent" if message.urgent else "ordinary"
    name = f"texts|{ctx.vault.master.blind('texts', f'{notice.to}|{day}|{sort}')}"
    most = ctx.dependency(TextBudget).of(message)
    if not await Counters(ctx.container.mongo).among(name, notice.key, most, ctx.now() + timedelta(days=2)):
        raise _TooMany


async def _notice(ctx: Context, message: Message, via: Via, address: Sealed | None) -> Notice:
    person = message.person_id
    try:
        await ctx.vault.ensure_keys([person, *message.key_subjects()])
    except KeyNotHere:
        raise SendFailed("key not here yet") from None
    to = _opened(ctx, address, [person], "email" if via is Via.EMAIL else "phone")
    title = _opened(ctx, message.title, [person], "message-title")
    whole = via is Via.EMAIL and not message.covered
    body, kind = (message.body, "message-body") if whole else (message.text, "message-text")
    return Notice(message.key(via), message.happened_at, to, title, _opened(ctx, body, message.key_subjects(), kind))


def _opened(ctx: Context, sealed: Sealed | None, subjects: Sequence[str], kind: str) -> str:
    text = None if sealed is None else ctx.vault.open_under(sealed, subjects, kind)
    if text is None:
        raise SendFailed(f"no {kind}", for_good=True)
    return text


def _phone(message: Message, person: Person | None) -> Sealed | None:
    if message.phone is not None:
        return message.phone
    if person is None:
        raise SendFailed("person not known yet")
    return person.phone


async def _message(ctx: Context, id: str) -> Message | None:
    if ctx.prefetched is None:
        return await by_id(ctx.container.mongo, Message, id)
    return load(Message, ctx.prefetched.document)
