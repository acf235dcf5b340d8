"""Readers who each ask for one thing after the other, in a process of their own."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import orjson
import uvloop

from deploy.local import Trouble
from tests.bench.figures import Figure, Spread, at_least


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
    """One answer: its kind, how long it took, its status, how many entries it had (1 where it is no list), and when it
    was there, in seconds since the reading began."""

    kind: str
    milliseconds: float
    status: int
    entries: int
    done: float


def rated(name: str, looks: Sequence[Look], least: float, *, least_entries: int = 1) -> Figure:
    """How many answers there were a second; Trouble where one was none, or had fewer entries."""
    wrong = [one for one in looks if one.status != 200 or one.entries < least_entries]
    if wrong:
        raise Trouble(f"{name}: {len(wrong)} answers were not as expected, such as {wrong[0]}.")
    detail = {"ms": Spread.of([one.milliseconds for one in looks]).reported()}
    return Figure(name, len(looks) / max(one.done for one in looks), "/s", at_least(least), detail)


def read(job: Reading) -> list[Look]:
    """Ask for all of it."""
    return uvloop.run(_read(job))


async def _read(job: Reading) -> list[Look]:
    async with aiohttp.ClientSession(job.address, timeout=aiohttp.ClientTimeout(total=30)) as http:
        await _look(http, job.asks[0], time.perf_counter())
        asks, looks, began = iter(job.asks), list[Look](), time.perf_counter()

        async def reader() -> None:
            for ask in asks:
                looks.append(await _look(http, ask, began))

        await asyncio.gather(*(reader() for _ in range(job.readers)))
        return looks


async def _look(http: aiohttp.ClientSession, ask: Ask, start: float) -> Look:
    began = time.perf_counter()
    async with http.get(ask.path, headers={"Authorization": f"Bearer {ask.token}"}) as response:
        content = await response.read()
    ended = time.perf_counter()
    entries = len(orjson.loads(content).get("items", [None]))
    return Look(ask.kind, (ended - began) * 1000, response.status, entries, ended - start)
