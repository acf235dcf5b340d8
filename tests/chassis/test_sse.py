"""Live streams: each ends with the application that gives it."""

import asyncio
from collections.abc import AsyncIterator, MutableMapping, Sequence
from typing import Any

import pytest
from fastapi import FastAPI

from services.chassis.domain.scope import Actor
from services.chassis.http.sse import ServerEvent, Stream
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


async def test_the_streams_of_one_application_end_alone(ctx: Context) -> None:
    one, other = FastAPI(), FastAPI()
    sent: list[Any] = []
    ends, goes_on = begun(ctx, one, sent), begun(ctx, other, [])
    await asyncio.sleep(0)
    one.state.closing.set()
    async with asyncio.timeout(10):
        await ends
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert not goes_on.done()
    goes_on.cancel()
    await asyncio.gather(goes_on, return_exceptions=True)
