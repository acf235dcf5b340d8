"""Connections to a service itself: it takes one host, whole lines, and no connection that only waits."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.local import Ports
from services.chassis.http import connections
from services.chassis.runtime import service as services
from tests.support import toy
from tests.support.road import until
from tests.support.sockets import BARE, REFUSED, ask, closed_after
from tests.support.world import World

GOOD = b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"


@pytest.fixture
async def port(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Of a service that waits for a second only."""
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 1.0)
    monkeypatch.setattr(services, "KEEP_ALIVE_SECONDS", 1)
    port, container = Ports.free().members_web, await world.container(toy.shop)
    server = services.server(world.app(toy.shop), world.settings(port=port))
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await until(started)
    yield port
    server.should_exit = True
    await serving
    await container.mongo.close()


async def test_a_request_that_may_be_read_in_two_ways_is_refused(port: int) -> None:
    for kind, request in {**REFUSED, **BARE}.items():
        answer = await asyncio.to_thread(ask, port, request % b"/v1/jars")
        assert answer.startswith(b"HTTP/1.1 400 "), (kind, answer[:80])
    for host in (b"127.0.0.1:18001", b"[::1]", b"members-web.city.example"):
        answer = await asyncio.to_thread(ask, port, GOOD % (b"/healthz", host))
        assert answer.startswith(b"HTTP/1.1 200 "), host


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"GET /healthz HTTP/1.1\r\nHost: a\r\n", *(b"x-%d: 1\r\n" % number for number in range(30))],
        [b"POST /v1/jars HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n", *([b"x"] * 30)],
        [b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"],
        [b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", *([b"\r\n"] * 30)],
    ],
    ids=["nothing", "a header now and then", "a byte of the body now and then", "one request", "then empty lines"],
)
async def test_a_connection_that_only_waits_is_closed(port: int, parts: list[bytes]) -> None:
    assert 0.5 < await asyncio.to_thread(closed_after, port, *parts) < 5
