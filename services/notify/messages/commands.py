"""Records the progress of a message's deliveries."""

from datetime import datetime
from zoneinfo import ZoneInfo

from services.chassis.domain.scope import SYSTEM
from services.chassis.telemetry import logs
from services.chassis.usecase import Context, usecase
from services.contracts.notify.messages import (
    DeliveryFailed,
    DeliveryGivenUp,
    DeliveryHeld,
    DeliveryMade,
    GivenUpBecause,
    Via,
)
from services.notify.channels.model import NotTaken
from services.notify.messages import model
from services.notify.messages.metrics import messages
from services.notify.messages.model import Backoff, Message
from services.notify.preferences.model import Preferences

log = logs.get()

_SAID = {
    DeliveryMade: "a message is sent",
    DeliveryFailed: "a message was not taken",
    DeliveryHeld: "a message waits for the end of quiet hours",
    DeliveryGivenUp: "a message is given up",
}
_OUTCOMES = {DeliveryMade: "sent", DeliveryFailed: "failed", DeliveryHeld: "held", DeliveryGivenUp: "given_up"}


@usecase(allow=SYSTEM)
async def note_made(ctx: Context, id: str, via: Via) -> Message:
    """Note that a channel took a message."""
    async with ctx.store.change(Message, id) as message:
        if message.next_at(via) is not None:
            model.made(message, via)
    return _counted(message, via)


@usecase(allow=SYSTEM)
async def note_failed(ctx: Context, id: str, via: Via, failure: NotTaken, preferences: Preferences) -> Message:
    """Note that a channel did not take a message, and when it is tried again."""
    zone = ctx.dependency(ZoneInfo)
    async with ctx.store.change(Message, id) as message:
        if message.next_at(via) is not None:
            urgent = message.urgent
            model.failed(
                message,
                via,
                failure,
                ctx.now(),
                ctx.dependency(Backoff),
                lambda at: at if urgent else preferences.free_from(at, zone),
            )
    return _counted(message, via)


@usecase(allow=SYSTEM)
async def note_held(ctx: Context, id: str, via: Via, until: datetime) -> Message:
    """Note that a message waits for the end of its recipient's quiet hours."""
    async with ctx.store.change(Message, id) as message:
        if message.next_at(via) is not None:
            model.held(message, via, until)
    return _counted(message, via)


@usecase(allow=SYSTEM)
async def note_given_up(ctx: Context, id: str, via: Via, because: GivenUpBecause) -> Message:
    """Note that a message is not sent any more: it is too late, or its recipient switched the channel off."""
    async with ctx.store.change(Message, id) as message:
        if message.next_at(via) is not None:
            model.given_up(message, via, because)
    return _counted(message, via)


def _counted(message: Message, via: Via) -> Message:
    for event in message.fresh:
        messages.labels(via, _OUTCOMES[type(event)]).inc()
        said = event.model_dump(include={"attempt", "because", "reason"})
        write = log.warning if isinstance(event, DeliveryGivenUp) else log.info
        write(_SAID[type(event)], message=message.id, channel=via, **said)
    return message
