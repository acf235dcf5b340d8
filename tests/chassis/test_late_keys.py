"""A key that comes later than the event that needs it: it is waited for, but not for each event where none comes."""

import asyncio
from collections import Counter

import pytest

from services.chassis.messaging import delivery
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import reaction
from services.chassis.storage.vault import KeyNotHere
from services.chassis.usecase import Context
from tests.support.reading import consume
from tests.support.road import Road
from tests.support.toy import CoinDropped


async def test_a_late_key_is_waited_for_also_where_the_refusal_comes_at_once(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_KEY_TRIES", 5)
    monkeypatch.setattr(delivery, "_KEY_SECONDS", 0.3)
    begun, done = asyncio.get_running_loop().time(), list[str]()

    @reaction("needs-a-key", CoinDropped)
    async def needs_a_key(ctx: Context, delivered: Delivered, _: CoinDropped) -> None:
        if asyncio.get_running_loop().time() < begun + 1:
            raise KeyNotHere(retry_after=1)
        done.append(delivered.id)

    jar = await road.jar(1)
    await road.publish()
    begun = asyncio.get_running_loop().time()
    await consume(road, reactions=[needs_a_key])
    assert (done, await road.parked()) == ([f"{jar.id}:2"], [])


async def test_a_key_is_waited_for_only_once_where_the_events_before_lacked_theirs(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_KEY_TRIES", 4)
    monkeypatch.setattr(delivery, "_KEY_SECONDS", 0.01)
    tries: list[str] = []

    @reaction("needs-a-key", CoinDropped)
    async def needs_a_key(ctx: Context, delivered: Delivered, _: CoinDropped) -> None:
        tries.append(delivered.entity)
        raise KeyNotHere(retry_after=1)

    for _ in range(5):
        await road.jar(1)
    await road.publish()
    await consume(road, reactions=[needs_a_key])
    assert sorted(Counter(tries).values()) == [1, 1, 4, 4, 4]
    assert len(await road.parked()) == 5
