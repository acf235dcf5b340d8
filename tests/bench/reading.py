"""Readers who each ask for one thing after the other, in a process of their own."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import orjson
import uvloop


@dataclass(frozen=True)
class Ask:
    """One thing to ask for; ``kind`` tells what sort of look it is."""

    kind: str
    path: str
    token: str


@dataclass(frozen=True)
class Reading:
    """What is asked of one address, in this order, by so many readers; the first is asked once before, so that the
    connection stands."""

    address: str
    asks: Sequence[Ask]
    readers: int = 1


@dataclass(frozen=True)
class Look:
    """One answer: its kind, how long it took, its status, and how many entries it had (1 where it is no list)."""

    kind: str
    milliseconds: float
    status: int
    entries: int


def read(job: Reading) -> list[Look]:
    """Ask for all of it."""
    return uvloop.run(_read(job))


async def _read(job: Reading) -> list[Look]:
    async with aiohttp.ClientSession(job.address, timeout=aiohttp.ClientTimeout(total=30)) as http:
        await _look(http, job.asks[0])
        asks, looks = iter(job.asks), list[Look]()

        async def reader() -> None:
            for ask in asks:
                looks.append(await _look(http, ask))

        await asyncio.gather(*(reader() for _ in range(job.readers)))
        return looks


async def _look(http: aiohttp.ClientSession, ask: Ask) -> Look:
    began = time.perf_counter()
    async with http.get(ask.path, headers={"Authorization": f"Bearer {ask.token}"}) as response:
        content = await response.read()
    took = (time.perf_counter() - began) * 1000
    return Look(ask.kind, took, response.status, len(orjson.loads(content).get("items", [None])))
