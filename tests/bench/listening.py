"""Many who have their inbox open live, in one process: when each of them has the line that is waited for."""

import asyncio
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import uvloop

# A web process works on ten requests at once; more that open at the same moment are told to come again.
CONNECTING = 4
_OPEN = aiohttp.ClientTimeout(total=None, connect=30)
_SMALL = 4 * 1024


@dataclass(frozen=True)
class Listen:
    """A stream for each token; ``about`` is what the message is about that all wait for.

    The file ``standing`` is made when all streams stand; the message may take so many seconds from then on.
    """

    address: str
    tokens: Sequence[str]
    about: str
    standing: Path
    seconds: float


@dataclass
class Heard:
    """What became of the streams: when (monotonic) each had the message; those that never stood, by their status."""

    at: list[float] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)


def listen(job: Listen) -> Heard:
    """Open all, wait for the message, close all."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return uvloop.run(_listen(job))


async def _listen(job: Listen) -> Heard:
    heard = Heard()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(job.address, connector=connector, timeout=_OPEN, read_bufsize=_SMALL) as http:
        few, stand = asyncio.Semaphore(CONNECTING), [asyncio.Event() for _ in job.tokens]
        streams = [
            asyncio.create_task(_follow(http, token, job.about, few, stands, heard))
            for token, stands in zip(job.tokens, stand, strict=True)
        ]
        await asyncio.gather(*(stands.wait() for stands in stand))
        job.standing.touch()
        _, silent = await asyncio.wait(streams, timeout=job.seconds)
        for stream in silent:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    return heard


async def _follow(
    http: aiohttp.ClientSession, token: str, about: str, few: asyncio.Semaphore, stands: asyncio.Event, heard: Heard
) -> None:
    """One stream, until the message has come; it stands from its first line on, or is refused."""
    sought = f'"about":"{about}"'.encode()
    try:
        await few.acquire()
        headers = {"Authorization": f"Bearer {token}"}
        async with http.get("/v1/inbox/stream", headers=headers) as response:
            if not response.ok:
                heard.refused.append(response.status)
                return
            async for line in response.content:
                if not stands.is_set() and line.startswith(b"data: "):  # the number it goes on from
                    stands.set()
                    few.release()
                if sought in line:
                    heard.at.append(time.monotonic())
                    return
    except aiohttp.ClientError:
        heard.refused.append(0)
    finally:
        if not stands.is_set():
            stands.set()
            few.release()
