"""The drivers note every request as it was, late ones included."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.bench.driving import Closed, Open, _closed, _opened
from tests.bench.requests_sent import Shot, rate, together

STALL = 0.3
STATUS = {"/": 201, "/case_1/next": 200}


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A server that stalls once, sheds what is asked of /busy, and has steps of what it made."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.path)
        if request.path == "/busy":
            return web.Response(status=503, headers={"Retry-After": "1"})
        if len(seen) == 1:
            time.sleep(STALL)  # noqa: ASYNC251 - the whole server stands
        return web.json_response({"id": "case_1"}, status=STATUS.get(request.path, 404))

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_stalled_server_is_held_against_all_that_were_due_meanwhile(address: str) -> None:
    job = Open(address, [(Shot("file", "POST", "/", "token"),)], [(50, 0.5)], time.monotonic())
    samples = (await _opened(job)).samples
    assert len(samples) == 25
    assert sum(sample.seconds > STALL / 3 for sample in samples) >= 8


async def test_a_refusal_ends_a_script_and_is_noted_with_its_advice(address: str) -> None:
    script = (Shot("file", "POST", "/busy", "token"), Shot("accept", "POST", "/{id}/next", "token"))
    outcome = await _closed(Closed(address, [script], 1, time.monotonic(), 5, rounds=1))
    assert [(s.kind, s.status, s.again, s.ok) for s in outcome.samples] == [("file", 503, True, False)]
    assert outcome.made == []


async def test_steps_go_to_what_the_first_answer_made(address: str) -> None:
    script = (Shot("file", "POST", "/", "token"), Shot("accept", "POST", "/{id}/next", "token"))
    outcomes = await asyncio.gather(*(_closed(Closed(address, [script] * 3, 2, time.monotonic(), 5, 1)) for _ in "ab"))
    samples = together(outcomes)
    assert [sample.status for sample in samples if sample.kind == "accept"] == [200] * 6
    assert [made for outcome in outcomes for made in sorted(outcome.made)] == [(n, "case_1") for n in range(3)] * 2
    assert rate(samples, 0, 5) == 12 / 5
