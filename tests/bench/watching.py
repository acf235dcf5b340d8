"""Residents who file at a steady rate, of whom some look for the message and some have their stream open."""

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import uvloop

from tests.bench.requests_sent import BROKEN
from tests.bench.town import filing

LOOK_SECONDS = 0.002
GIVE_UP_SECONDS = 10.0
TURN = 5
"""One in five listens."""
_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=5)
_OPEN = aiohttp.ClientTimeout(total=None, connect=5)


@dataclass(frozen=True)
class Watch:
    """This many filings a second, by residents in turn; what is due before ``warm`` seconds is not counted.

    Of ``looking`` filings one is looked for in the inbox.
    """

    address: str
    tokens: Sequence[str]
    listeners: int
    rate: float
    warm: float
    seconds: float
    looking: int


@dataclass
class Seen:
    """Milliseconds from when a filing was due: until it was answered, readable, read, and a line in the stream."""

    answered: list[float] = field(default_factory=list)
    readable: list[float] = field(default_factory=list)
    """Until the first look began that found the message."""
    read: list[float] = field(default_factory=list)
    """Until that look had its answer."""
    streamed: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """What was not accepted, or not told within ten seconds."""


def watch(job: Watch) -> Seen:
    """Do it and note everything."""
    return uvloop.run(_watch(job))


async def _watch(job: Watch) -> Seen:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(job.address, connector=connector, timeout=_TIMEOUT) as http:
        streams = [_Stream() for _ in range(job.listeners)]
        async with contextlib.AsyncExitStack() as open_now:
            for stream, token in zip(streams, job.tokens, strict=False):
                await open_now.enter_async_context(stream.followed(http, token))
            return await _Watcher(job, http, streams).all()


class _Watcher:
    """One run of a watch."""

    def __init__(self, job: Watch, http: aiohttp.ClientSession, streams: Sequence["_Stream"]) -> None:
        self._job, self._http, self._streams = job, http, streams
        self._others = itertools.cycle(job.tokens[job.listeners :])
        self._listening = itertools.cycle(zip(job.tokens, streams, strict=False))
        self._run, self._body = secrets.token_hex(8), orjson.dumps(filing())
        self._seen = Seen()

    async def all(self) -> Seen:
        """Every filing when it is due, and what comes of it."""
        job, tasks = self._job, []
        start = time.monotonic()
        for number in range(int(job.rate * (job.warm + job.seconds))):
            due = start + number / job.rate
            await asyncio.sleep(due - time.monotonic())
            seen = self._seen if due - start >= job.warm else Seen()
            tasks.append(asyncio.create_task(self._one(number, due, seen)))
        await asyncio.gather(*tasks)
        return self._seen

    async def _one(self, number: int, due: float, seen: Seen) -> None:
        turn = number % TURN
        token, stream = next(self._listening) if turn == 0 else (next(self._others), None)
        status, case = await self._file(number, token)
        if not case:
            seen.lost.append(f"not accepted ({status})")
            return
        seen.answered.append(_since(due))
        if stream is not None:
            await self._heard(stream, case, due, seen)
        elif number % self._job.looking == 1:
            await self._found(token, case, due, seen)

    async def _file(self, number: int, token: str) -> tuple[int, str]:
        """Status and id of the case; no id where it was not accepted, status 0 where nobody answered."""
        headers = {**_bearer(token), "Idempotency-Key": f"{self._run}:{number}", "Content-Type": "application/json"}
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with self._http.post("/v1/requests", data=self._body, headers=headers) as response:
                content = await response.read()
                return response.status, str(orjson.loads(content)["id"]) if response.ok else ""
        return BROKEN, ""

    async def _heard(self, stream: "_Stream", case: str, due: float, seen: Seen) -> None:
        try:
            seen.streamed.append((await stream.line(case) - due) * 1000)
        except TimeoutError:
            seen.lost.append("not in the stream")

    async def _found(self, token: str, case: str, due: float, seen: Seen) -> None:
        """Look again and again, one look after the other: many at once would be the load that is measured."""
        began = time.monotonic()
        while (asked := time.monotonic()) - began < GIVE_UP_SECONDS:
            if await self._look(token, case):
                seen.readable.append((asked - due) * 1000)
                seen.read.append((time.monotonic() - due) * 1000)
                return
            await asyncio.sleep(LOOK_SECONDS)
        seen.lost.append("not in the inbox")

    async def _look(self, token: str, case: str) -> bool:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with self._http.get("/v1/inbox", params={"limit": "2"}, headers=_bearer(token)) as response:
                page = orjson.loads(await response.read())
            return any(one["about"] == case for one in page.get("items", ()))
        return False


class _Stream:
    """One open stream, and when each case was first spoken of in it."""

    def __init__(self) -> None:
        self._lines: dict[str, asyncio.Future[float]] = {}
        self._stands = asyncio.Event()

    @contextlib.asynccontextmanager
    async def followed(self, http: aiohttp.ClientSession, token: str) -> AsyncIterator[None]:
        """Listen from the moment that the stream stands."""
        task = asyncio.create_task(self._follow(http, token))
        try:
            await asyncio.wait_for(self._stands.wait(), GIVE_UP_SECONDS)
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def line(self, case: str) -> float:
        """When (monotonic) a case was spoken of; TimeoutError where it is not soon."""
        return await asyncio.wait_for(asyncio.shield(self._line(case)), GIVE_UP_SECONDS)

    async def _follow(self, http: aiohttp.ClientSession, token: str) -> None:
        async with http.get("/v1/inbox/stream", headers=_bearer(token), timeout=_OPEN) as response:
            async for raw in response.content:
                if raw.startswith(b": connected"):
                    self._stands.set()
                elif raw.startswith(b"data: "):
                    self._note(orjson.loads(raw[6:]))

    def _note(self, said: dict[str, Any]) -> None:
        line = self._line(str(said.get("about")))
        if not line.done():
            line.set_result(time.monotonic())

    def _line(self, case: str) -> asyncio.Future[float]:
        return self._lines.setdefault(case, asyncio.get_running_loop().create_future())


def _since(due: float) -> float:
    return (time.monotonic() - due) * 1000


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
