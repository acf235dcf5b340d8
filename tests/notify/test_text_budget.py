"""How many text messages one number gets in a day: the rest stays in the inbox, urgent ones have room of their own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.chassis.domain.values import now
from services.chassis.schedule.timers import sweep
from services.contracts.notify.messages import Via
from services.notify.channels.model import Senders, SendFailed
from services.notify.messages.model import TextBudget
from tests.notify.post import PHONE, SMS, URGENT, WANG, Post, Recorder, opened, sweeps, with_parts
from tests.support.world import World

DAY, NIGHT = 3, 2
"""Ordinary and urgent ones in a day."""


@pytest.fixture
async def post(world: World) -> AsyncIterator[Post]:
    """Somebody whose phone gets three text messages a day, and two urgent ones."""
    sms = Recorder()
    wanted = with_parts(senders=Senders({Via.SMS: sms, Via.EMAIL: Recorder()}), budget=TextBudget(DAY, NIGHT))
    container = await opened(world, wanted)
    yield Post(container, sms)
    await container.mongo.close()


async def written(post: Post, count: int, **of: Any) -> list[str]:
    return [await post.write(Via.SMS, because_of=f"case_{of.get('urgent')}_{one}:5", **of) for one in range(count)]


async def because(post: Post, ids: list[str]) -> list[Any]:
    return [(await post.found(id)).deliveries["sms"].because for id in ids]


async def test_a_number_gets_as_many_text_messages_a_day_as_are_set_and_the_rest_is_in_the_inbox(post: Post) -> None:
    ids = await written(post, 5)
    await sweeps(post.container, SMS, 8)
    assert len(post.sms.got) == DAY
    assert sorted(await because(post, ids), key=str) == [None] * DAY + ["too_many"] * 2
    assert [(await post.found(id)).inbox_of for id in ids] == [WANG] * 5
    assert [(await post.found(id)).text for id in ids] == [None] * 5, "no words are kept for what is not sent"


async def test_urgent_ones_have_room_of_their_own_also_sign_in_codes(post: Post) -> None:
    await written(post, 5)
    await sweeps(post.container, SMS, 8)
    phone = post.container.vault.seal(PHONE, WANG, "phone")
    urgent = await written(post, 3, urgent=True, phone=phone)
    await sweeps(post.container, URGENT, 6)
    assert len(post.sms.got) == DAY + NIGHT
    assert sorted(await because(post, urgent), key=str) == [None] * NIGHT + ["too_many"]


async def test_a_message_that_is_tried_again_counts_once(post: Post) -> None:
    post.sms.answers = [SendFailed("sms 503") for _ in range(4)]
    ids = await written(post, 1)
    await sweeps(post.container, SMS, 8)
    more = await written(post, 4, template="case-accepted")
    await sweeps(post.container, SMS, 8)
    assert await because(post, ids) == [None]
    assert sorted(await because(post, more[1:]), key=str)[-1] == "too_many"
    assert len({notice.key for notice in post.sms.got}) == DAY


async def test_two_workers_at_the_same_instant_send_no_more(post: Post) -> None:
    await written(post, 8)
    await asyncio.gather(*(sweep(SMS, post.container) for _ in range(4)))
    await sweeps(post.container, SMS, 8)
    assert len({notice.key for notice in post.sms.got}) == DAY


async def test_of_a_number_nothing_is_kept_in_clear_and_the_database_forgets_it(post: Post) -> None:
    await written(post, 1)
    await sweeps(post.container, SMS, 3)
    (counter,) = await post.container.mongo.find("counters", {}, limit=5)
    assert PHONE not in str(counter)
    assert now() + timedelta(days=1) < counter["until"] < now() + timedelta(days=3)
