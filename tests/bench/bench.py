"""What a measurement works with: the running town, who acts in it, and processes that drive it."""

import asyncio
import contextlib
import multiprocessing
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

import aiohttp

from deploy.cli.city.quiet import until_quiet
from deploy.local import Stack
from tests.bench import driving, town
from tests.bench.badges import Badges
from tests.bench.figures import Figure

T = TypeVar("T")
J = TypeVar("J")
DRIVERS = 2
HANDLERS = 64


@dataclass(frozen=True)
class Pace:
    """How long things are measured, in seconds."""

    quick: bool = False
    soak: float = 180

    def seconds(self, full: float, quick: float) -> float:
        """What holds for this run."""
        return quick if self.quick else full


@dataclass
class Bench:
    """One run; ``known`` is what one measurement leaves for another, by the name of the figure."""

    stack: Stack
    folder: Path
    pace: Pace
    badges: Badges
    people: Sequence[str]
    station: str
    http: aiohttp.ClientSession
    drivers: ProcessPoolExecutor
    say: Callable[[str], None]
    known: dict[str, float] = field(default_factory=dict)

    @property
    def residents(self) -> list[str]:
        """A token of every resident, in the order of ``people``."""
        return [self.badges.resident(person) for person in self.people]

    @property
    def handlers(self) -> list[str]:
        """Tokens of those who work for the station that gets what is filed."""
        return [self.badges.staff("handler", town.COMMUNITY, self.station, number=n) for n in range(HANDLERS)]

    async def drive(self, work: Callable[[J], T], *jobs: J) -> list[T]:
        """Do jobs in processes of their own, all at the same time; ``work`` is a function of a module."""
        loop = asyncio.get_running_loop()
        return list(await asyncio.gather(*(loop.run_in_executor(self.drivers, work, job) for job in jobs)))

    async def quiet(self) -> float:
        """Wait until all that was recorded has reached everybody; how many seconds it took."""
        return await until_quiet(self.stack, 300)


class Measurement(Protocol):
    """A module that measures something; each is a line of ``measurements.MEASUREMENTS``."""

    NAME: str
    TITLE: str

    async def measure(self, bench: Bench) -> list[Figure]:
        """Measure it now."""


@contextlib.asynccontextmanager
async def opened(stack: Stack, folder: Path, pace: Pace, say: Callable[[str], None]) -> AsyncIterator[Bench]:
    """A bench over a seeded stack, with its residents."""
    badges = Badges(stack)
    people = await town.settle(stack, badges)
    station = await town.station(stack, badges.resident(people[0]))
    # A fresh interpreter each: a fork would take this one's event loop and connections along.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(DRIVERS, mp_context=fresh) as drivers:
        async with aiohttp.ClientSession(stack.gateway, connector=aiohttp.TCPConnector(limit=0)) as http:
            bench = Bench(stack, folder, pace, badges, people, station, http, drivers, say)
            await bench.drive(driving.awake, *range(DRIVERS))
            yield bench
