"""What a listener notes of many streams: who had the message, who never stood."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.bench.listening import Listen, _listen


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A server with streams that tell of two cases in turn, and that has no room for one of its listeners."""

    async def stream(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"] == "Bearer crowd":
            return web.Response(status=503)
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        await answer.write(b": connected\n\nid: 0\nevent: unread\ndata: {}\n\n")
        for case in ("case_other", "case_ours"):
            await asyncio.sleep(0.1)
            await answer.write(f'id: 1\nevent: message\ndata: {{"about":"{case}"}}\n\n'.encode())
        return answer

    application = web.Application()
    application.router.add_get("/v1/inbox/stream", stream)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_each_stream_has_the_message_that_is_waited_for_and_a_refusal_is_noted(
    address: str, tmp_path: Path
) -> None:
    began, standing = time.monotonic(), tmp_path / "standing"
    heard = await _listen(Listen(address, ["a", "b", "crowd"], "case_ours", standing, 10))
    assert standing.exists()
    assert heard.refused == [503]
    assert [at - began >= 0.2 for at in heard.at] == [True, True]


async def test_a_message_that_never_comes_is_not_waited_for_longer_than_was_asked(address: str, tmp_path: Path) -> None:
    heard = await _listen(Listen(address, ["a"], "case_none", tmp_path / "standing", 0.5))
    assert (heard.at, heard.refused) == ([], [])
