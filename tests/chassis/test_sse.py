"""Live streams: each ends with the application that gives it."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from services.chassis.domain.scope import Actor
from services.chassis.domain.values import now
from services.chassis.http.sse import ServerEvent, Stream
from services.chassis.storage.revocations import COLLECTION, FIELD
from services.chassis.usecase import Context
from tests.support import toy
from tests.support.world import World


async def silent() -> AsyncIterator[Sequence[ServerEvent]]:
    """A stream on which nothing comes."""
    await asyncio.Event().wait()
    yield ()


READER = Actor("account_1", frozenset({"reader"}), session="session_1")


@pytest.fixture
async def ctx(world: World) -> AsyncIterator[Context]:
    container = await world.container(toy.shop)
    yield container.context(READER, "read")
    await container.mongo.close()


def begun(ctx: Context, app: FastAPI, sent: list[Any]) -> "asyncio.Task[None]":
    """A stream of this application, with what it has sent."""
    app.state.closing = asyncio.Event()

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    return asyncio.create_task(Stream(silent(), ctx)({"type": "http", "app": app}, receive, send))


async def expect_only(ends: "asyncio.Task[None]", sent: list[Any], goes_on: "asyncio.Task[None]") -> None:
    """One of two streams ends, as a client expects it; the other goes on."""
    async with asyncio.timeout(10):
        await ends
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert not goes_on.done()
    goes_on.cancel()
    await asyncio.gather(goes_on, return_exceptions=True)


async def test_the_streams_of_one_application_end_alone(ctx: Context) -> None:
    one, other = FastAPI(), FastAPI()
    sent: list[Any] = []
    ends, goes_on = begun(ctx, one, sent), begun(ctx, other, [])
    await asyncio.sleep(0)
    one.state.closing.set()
    await expect_only(ends, sent, goes_on)


async def test_a_stream_ends_when_its_token_is_revoked_and_others_go_on(ctx: Context) -> None:
    app, sent = FastAPI(), list[Any]()
    other = replace(ctx, actor=replace(READER, session="session_2"))
    ends, goes_on = begun(ctx, app, sent), begun(other, app, [])
    await asyncio.sleep(0)
    await ctx.container.mongo.insert(COLLECTION, {"_id": "session_1", FIELD: now() + timedelta(hours=1)})
    await ctx.container.revocations.expect_read()
    await expect_only(ends, sent, goes_on)


def test_an_event_is_one_line_for_clients_that_split_lines_as_unicode_does() -> None:
    text = "一\u2028二\u2029三\x85四\r\n五\x0b\x0c\x1c"
    *lines, last, behind = ServerEvent("message", {"text": text}, 7).encoded().decode().splitlines()
    assert (lines, behind) == (["id: 7", "event: message"], "")
    assert json.loads(last.removeprefix("data: ")) == {"text": text}
