"""The limits of live streams: for each person, in all, and never more than the gateway's connections."""

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import replace

import httpx
import pytest

from services.chassis.domain.refusals import Busy
from services.chassis.usecase import Container
from services.notify.inboxes.model import MOST, MOST_EACH, InboxSubscribers
from services.notify.inboxes.queries import follow
from tests.conftest import ROOT
from tests.notify.conftest import signed_in
from tests.notify.test_inbox import BAO, WANG, container
from tests.notify.test_stream import Stream, Web, web

__all__ = ["container", "web"]


async def test_one_person_takes_ten_places_and_no_more_and_leaves_the_others_theirs(
    container: Container, web: Web
) -> None:
    async with AsyncExitStack() as stays:
        streams = [await stays.enter_async_context(web.listen(WANG)) for _ in range(MOST_EACH)]
        await asyncio.gather(*(stream.next() for stream in streams))
        async with httpx.AsyncClient(base_url=web.address) as client:
            token = {"Authorization": f"Bearer {web.world.token(signed_in(WANG))}"}
            refused = await client.get("/v1/inbox/stream", headers=token)
        assert (refused.status_code, refused.json()["code"]) == (429, "too-many-streams")
        assert int(refused.headers["Retry-After"]) > 0
        async with web.listen(BAO) as other:
            await other.next()


async def test_of_many_that_come_at_the_same_moment_no_more_stay_than_there_are_places(
    container: Container, web: Web
) -> None:
    async def listening(stays: AsyncExitStack) -> Stream:
        stream = await stays.enter_async_context(web.listen(WANG))
        await stream.next()
        return stream

    async with AsyncExitStack() as stays:
        came = await asyncio.gather(*(listening(stays) for _ in range(30)), return_exceptions=True)
        assert len([stream for stream in came if isinstance(stream, Stream)]) == web.subscribers.count == MOST_EACH


async def test_who_finds_the_last_place_taken_gets_nothing(container: Container) -> None:
    subscribers = InboxSubscribers(most_each=1)
    ctx = replace(container, dependencies={**container.dependencies, InboxSubscribers: subscribers}).context(
        signed_in(WANG), "test"
    )
    with subscribers.subscribed(WANG):
        assert [line async for line in follow(ctx, None)] == []
    assert subscribers.count == 0


def test_a_process_that_is_full_says_so_to_everybody() -> None:
    subscribers = InboxSubscribers(most=1)
    with subscribers.subscribed(WANG), pytest.raises(Busy):
        subscribers.expect_room(BAO)


def test_the_streams_leave_connections_of_the_gateway_to_the_rest_of_the_service() -> None:
    found = re.search(r"max_connections: (\d+)", (ROOT / "deploy/gateway/envoy.yaml").read_text())
    assert found is not None
    assert int(found[1]) >= MOST * 4 / 3
