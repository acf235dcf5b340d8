"""What is noted of a message's way out."""

from zoneinfo import ZoneInfo

from services.chassis.domain.scope import SYSTEM
from services.chassis.ops import logs, metrics
from services.chassis.usecase import Context, usecase
from services.contracts.notify import DeliveryFailed, DeliveryGivenUp, DeliveryMade, Via
from services.notify.channels.model import NotTaken
from services.notify.messages import model
from services.notify.messages.model import Backoff, Message
from services.notify.preferences.model import Preferences

log = logs.get()

_SAID = {
    DeliveryMade: "a message is sent",
    DeliveryFailed: "a message was not taken",
    DeliveryGivenUp: "a message is given up",
}
_OUTCOMES = {DeliveryMade: "sent", DeliveryFailed: "failed", DeliveryGivenUp: "given_up"}


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
    zone = ctx.part(ZoneInfo)
    async with ctx.store.change(Message, id) as message:
        if message.next_at(via) is not None:
            urgent = message.urgent
            model.failed(
                message,
                via,
                failure,
                ctx.now(),
                ctx.part(Backoff),
                lambda at: at if urgent else preferences.free_from(at, zone),
            )
    return _counted(message, via)


@usecase(allow=SYSTEM)
async def note_expired(ctx: Context, id: str, via: Via) -> Message:
    """Note that it is too late to send a message."""
    async with ctx.store.change(Message, id) as message:
        if message.next_at(via) is not None:
            model.expired(message, via)
    return _counted(message, via)


def _counted(message: Message, via: Via) -> Message:
    for event in message.fresh:
        metrics.messages.labels(via, _OUTCOMES[type(event)]).inc()
        said = event.model_dump(include={"attempt", "reason"})
        told = log.warning if isinstance(event, DeliveryGivenUp) else log.info
        told(_SAID[type(event)], message=message.id, channel=via, **said)
    return message
