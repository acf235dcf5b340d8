"""Many jars at once, each written with all its events, as a use case that records several does it."""

from collections.abc import Iterable, Sequence

from services.chassis.domain.events import Origin
from services.chassis.domain.values import id_from, now
from services.chassis.messaging.reactions import Create
from tests.support import toy
from tests.support.road import Road
from tests.support.toy import CoinDropped, Jar, JarOpened


async def fill(road: Road, jars: Iterable[Sequence[int]]) -> dict[str, Sequence[int]]:
    """Jars of the shop into which these coins were dropped, by id; one round trip for all."""
    filled, writes = dict[str, Sequence[int]](), []
    for drops in jars:
        road.count += 1
        cause = f"fill:{road.count}"
        jar = Jar.blank(id_from(Jar.entity_type, cause))
        jar.record(JarOpened(label="plums", keeper=toy.KEEPER.id, size=10**9))
        for coins in drops:
            jar.record(CoinDropped(coins=coins))
        origin = Origin(now(), toy.KEEPER.id, road.shop.city, cause, None, None)
        writes += [write for _, write in Create(jar).writes(origin)]
        filled[jar.id] = drops
    assert await road.shop.mongo.bulk(Jar.collection(), writes) == len(filled)
    return filled
