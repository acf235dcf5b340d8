"""What can be done with an inbox."""

from services.chassis.usecase import Context, usecase
from services.notify.audience.model import SIGNED_IN
from services.notify.inboxes.model import COLLECTION, marking
from services.notify.messages import model
from services.notify.messages.model import Message


@usecase(allow=SIGNED_IN)
async def read_message(ctx: Context, id: str) -> Message:
    """Note that you have read a message."""
    async with ctx.store.change(Message, id) as message:
        if not message.read:
            # Before the write: after a crash in between, a repeat finds the message unread, and this counts only once.
            await ctx.house.mongo.update(COLLECTION, *marking(message.person_id, id))
        model.read(message)
    return message
