"""Records the progress of a message's deliveries."""

from datetime import datetime
from zoneinfo import ZoneInfo

from services.chassis.domain.scope import SYSTEM
from services.chassis.guards import changes
from services.chassis.usecase import Context
from services.contracts.notify.messages import GivenUpBecause, Via
from services.notify.channels.model import SendFailed
from services.notify.messages import model
from services.notify.messages.model import Backoff, Message
from services.notify.preferences.model import Preferences


@changes(Message, by="id", allow=SYSTEM)
async def note_made(ctx: Context, message: Message, via: Via) -> None:
    """Note that a channel accepted a message."""
    if message.next_at(via) is not None:
        model.made(message, via)


@changes(Message, by="id", allow=SYSTEM)
async def note_failed(ctx: Context, message: Message, via: Via, failure: SendFailed, preferences: Preferences) -> None:
    """Note that a channel did not accept a message, and when it is tried again."""
    zone, urgent = ctx.dependency(ZoneInfo), message.urgent
    if message.next_at(via) is not None:
        model.failed(
            message,
            via,
            failure,
            ctx.now(),
            ctx.dependency(Backoff),
            lambda at: at if urgent else preferences.free_from(at, zone),
        )


@changes(Message, by="id", allow=SYSTEM)
async def note_held(ctx: Context, message: Message, via: Via, until: datetime) -> None:
    """Note that a message waits for the end of its recipient's quiet hours."""
    if message.next_at(via) is not None:
        model.held(message, via, until)


@changes(Message, by="id", allow=SYSTEM)
async def note_given_up(ctx: Context, message: Message, via: Via, because: GivenUpBecause) -> None:
    """Note that a message is not sent any more: it is too late, or its recipient switched the channel off."""
    if message.next_at(via) is not None:
        model.given_up(message, via, because)
