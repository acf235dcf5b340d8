"""The ceiling: what the database gives to a driver alone, which nothing built on it can exceed."""

import asyncio
import itertools
import time
from dataclasses import dataclass
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient

from tests.bench.bench import DRIVERS, Bench
from tests.bench.figures import Bars, Figure

NAME = "ceiling"
TITLE = "The ceiling: load and guarded update by the driver alone"

CLIENTS = 32
DOCUMENTS = 2_000
COLLECTION = "bench_ceiling"
_WORDS = "三单元的楼道灯坏了一个星期，老人晚上回家看不见。"
MAKERS: dict[str, Any] = {"motor": AsyncIOMotorClient, "pymongo": AsyncMongoClient}


@dataclass(frozen=True)
class Job:
    """The load of one process: this many clients, each on its own documents."""

    uri: str
    driver: str
    clients: int
    first: int
    seconds: float


async def measure(bench: Bench) -> list[Figure]:
    """With each driver in one process and in two: the highest is the ceiling."""
    await _fill(bench.stack.signed_in["requests"])
    rates = {}
    for driver, processes in itertools.product(MAKERS, (1, DRIVERS)):
        rates[f"{driver}, {processes} process{'es' if processes > 1 else ''}"] = await _rate(bench, driver, processes)
    highest = max(rates.values())
    bench.known["ceiling"] = highest
    chart = Bars("Load and guarded update by the driver alone, 32 clients", "/s", rates)
    detail = {name: round(rate) for name, rate in rates.items()}
    return [Figure("load + guarded update, majority and journaled, 32 clients", highest, "/s", None, detail, chart)]


async def known(bench: Bench) -> float:
    """The ceiling of this run, measured now where it has not been."""
    if "ceiling" not in bench.known:
        await measure(bench)
    return bench.known["ceiling"]


async def _rate(bench: Bench, driver: str, processes: int) -> float:
    uri, seconds, share = bench.stack.signed_in["requests"], bench.pace.seconds(5, 1), CLIENTS // processes
    jobs = [Job(uri, driver, share, n * share, seconds) for n in range(processes)]
    return sum(await bench.drive(work, *jobs))


async def _fill(uri: str) -> None:
    """Documents of about the size of a case's state."""
    state = {f"field_{n}": _WORDS for n in range(16)}
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        kept = client.get_default_database()[COLLECTION]
        await kept.drop()
        await kept.insert_many([{"_id": n, "version": 0, "state": state} for n in range(DOCUMENTS)])


def work(job: Job) -> float:
    """How often a second a document was loaded and updated under the guard of its version."""
    return asyncio.run(_work(job))


async def _work(job: Job) -> float:
    # As many connections as clients, so that none waits for one.
    client = MAKERS[job.driver](job.uri, maxPoolSize=job.clients, minPoolSize=job.clients)
    kept = client.get_default_database()[COLLECTION]
    try:
        # Once round, so that connections are open and documents are in memory.
        await asyncio.gather(*(_client(kept, job, n, time.monotonic()) for n in range(job.clients)))
        began = time.monotonic()
        done = await asyncio.gather(*(_client(kept, job, n, began + job.seconds) for n in range(job.clients)))
        return sum(done) / (time.monotonic() - began)
    finally:
        closing = client.close()
        if closing is not None:
            await closing


async def _client(kept: Any, job: Job, number: int, until: float) -> int:
    """One client after the other change only their own documents: nobody meets a guard that fails."""
    done = 0
    for id in itertools.cycle(range(job.first + number, DOCUMENTS, CLIENTS)):
        found = await kept.find_one({"_id": id})
        change = {"$set": {"version": found["version"] + 1, "state.field_0": f"{_WORDS}{done}"}}
        updated = await kept.update_one({"_id": id, "version": found["version"]}, change)
        done += int(updated.modified_count)
        if time.monotonic() >= until:
            return done
    return done
