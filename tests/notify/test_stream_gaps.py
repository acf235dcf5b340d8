"""Lines whose message comes late: a crash between the two writes loses none of them, live or after a cut."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.chassis.usecase import Container
from services.notify.inboxes.model import COLLECTION, LATE, LOST
from tests.notify.test_inbox import WANG, container, effects_of, inbox_of, say
from tests.notify.test_stream import Web, web

__all__ = ["container", "web"]

LONG = LATE + timedelta(minutes=1)


async def half_said(container: Container, name: str, ago: timedelta = timedelta(0)) -> None:
    """A line whose message is not there: the worker died in between, that long ago."""
    append, _ = effects_of(container, WANG, name)
    origin: Any = None
    ((_, line),) = replace(append, at=append.at - ago).writes(origin)
    await container.mongo.bulk(COLLECTION, [line])


async def test_a_message_that_comes_late_takes_a_new_number_and_counts_once(container: Container) -> None:
    await half_said(container, "case:1", LONG)
    await say(container, WANG, "case:2")
    await asyncio.gather(*(say(container, WANG, "case:1") for _ in range(5)))
    inbox = await inbox_of(container, WANG)
    assert (inbox.sequence, inbox.unread, [line.sequence for line in inbox.lines]) == (3, 2, [2, 3])


async def test_a_late_message_reaches_a_stream_that_has_passed_it_and_nobody_twice(
    container: Container, web: Web
) -> None:
    await say(container, WANG, "case:0")
    await half_said(container, "case:1", LONG)
    for name in ("case:2", "case:1", "case:3"):
        await say(container, WANG, name)
    late = [(4, "题目 case:1"), (5, "题目 case:3")]
    async with web.listen(WANG, 3) as passed, web.listen(WANG, 1) as behind:
        assert [await passed.message() for _ in range(2)] == late
        assert [await behind.message() for _ in range(3)] == [(3, "题目 case:2"), *late]


async def test_a_message_that_never_comes_does_not_hold_up_the_others(container: Container, web: Web) -> None:
    await half_said(container, "case:1", LOST + timedelta(seconds=1))
    await say(container, WANG, "case:2")
    async with web.listen(WANG, 0) as stream:
        assert await stream.message() == (2, "题目 case:2")


async def test_a_stream_that_begins_while_a_message_is_written_gets_it(container: Container, web: Web) -> None:
    await say(container, WANG, "case:1")
    await half_said(container, "case:2")
    await say(container, WANG, "case:3")
    async with web.listen(WANG) as stream:
        assert await stream.next() == ("unread", 1, {"unread": 3})
        await say(container, WANG, "case:2")
        assert [await stream.message() for _ in range(2)] == [(2, "题目 case:2"), (3, "题目 case:3")]


async def test_a_stream_that_begins_again_while_a_message_is_written_gets_it(container: Container, web: Web) -> None:
    await say(container, WANG, "case:1")
    await half_said(container, "case:2")
    async with web.listen(WANG, 10_000) as stream:
        assert await stream.next() == ("resync", 1, {"unread": 2})
        await say(container, WANG, "case:2")
        assert await stream.message() == (2, "题目 case:2")
