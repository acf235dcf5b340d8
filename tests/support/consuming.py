"""A member of a consumer group, as a worker makes it."""

from collections.abc import Sequence

from services.chassis.messaging.consumer import Consumer
from services.chassis.messaging.control import Orders
from services.chassis.messaging.kafka import Reader
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.messaging.switches import register
from services.chassis.usecase import House


async def member(
    house: House, reader: Reader, reactions: Sequence[AnyReaction], group: str, name: str = "0", most_failures: int = 20
) -> Consumer:
    """A consumer with these reactions, which are on unless they are known to be off."""
    await register(house.mongo, reactions, group_reads=False)
    return Consumer(house, reader, reactions, Orders(house.mongo, group, name), most_failures)
