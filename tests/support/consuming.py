"""A member of a consumer group, as a worker makes it."""

from collections.abc import Sequence

from services.chassis.messaging.consumer import Consumer
from services.chassis.messaging.control import ConsumerControl
from services.chassis.messaging.kafka import Reader
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.messaging.switching import register
from services.chassis.usecase import Container


async def member(
    container: Container,
    reader: Reader,
    reactions: Sequence[AnyReaction],
    group: str,
    name: str = "0",
    most_failures: int = 20,
) -> Consumer:
    """A consumer with these reactions, which are on unless they are known to be off."""
    await register(container.mongo, group, reactions, {})
    return Consumer(container, reader, reactions, ConsumerControl(container.mongo, group, name), most_failures)
