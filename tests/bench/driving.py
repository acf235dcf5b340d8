"""Load from a process of its own: clients that each wait for their answer, or arrivals that wait for nobody."""

import asyncio
import itertools
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import aiohttp
import orjson
import uvloop

from tests.bench.requests_sent import BROKEN, UNSENT, Outcome, Sample, Script, Shot

# Longer than the gateway waits for a service: what takes longer was not answered.
_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=5)
# So much may be under way from one driver; what comes on top is counted as not sent, never left out.
MOST_UNDER_WAY = 4_000
ENDLESS = 10**9


@dataclass(frozen=True)
class Closed:
    """A closed loop: this many clients, each with the next script when its last has ended, until the scripts or the
    time are used up."""

    address: str
    scripts: Sequence[Script]
    clients: int
    start: float
    seconds: float
    rounds: int = ENDLESS


@dataclass(frozen=True)
class Open:
    """Arrivals at (rate a second, seconds) one phase after the other, whatever becomes of them; the scripts in turn.

    A sample's time runs from when its script was due, so that a late driver flatters nobody. ``sources`` are the
    addresses from which they come, in turn; none: as the machine has it.
    """

    address: str
    scripts: Sequence[Script]
    phases: Sequence[tuple[float, float]]
    start: float
    sources: Sequence[str] = ()


def awake(_: int) -> None:
    """No load: the process has started and imported everything."""
    time.sleep(0.2)


def soon() -> float:
    """A start (monotonic) that all drivers reach in time."""
    return time.monotonic() + 0.5


def closed(job: Closed) -> Outcome:
    """Do it and note every request."""
    return uvloop.run(_closed(job))


def opened(job: Open) -> Outcome:
    """Do it and note every request."""
    return uvloop.run(_opened(job))


class _Driver:
    """One process's connections to the gateway, and what it notes."""

    def __init__(self, address: str, start: float, sources: Sequence[str] = ()) -> None:
        self._sessions = [_session(address, source) for source in sources] or [_session(address, None)]
        self._turns = itertools.cycle(self._sessions)
        self.start = start
        self.outcome = Outcome()
        self._run = secrets.token_hex(8)
        self._count = itertools.count()
        self._cpu = time.process_time()

    async def play(self, number: int, script: Script, due: float) -> None:
        """Send a script's requests one after the other; ``due`` is when the first was to be sent."""
        id = ""
        for shot in script:
            made = await self._send(shot, id, due)
            if made is None:
                return
            if not id:
                id = made
                self.outcome.made.append((number, id))
            due = time.monotonic() - self.start

    async def close(self) -> Outcome:
        """All that was noted."""
        for session in self._sessions:
            await session.close()
        self.outcome.busy = (time.process_time() - self._cpu) / (time.monotonic() - self.start)
        return self.outcome

    async def _send(self, shot: Shot, id: str, due: float) -> str | None:
        """The id in the answer, None where it was not accepted."""
        headers = {"Idempotency-Key": f"{self._run}:{next(self._count)}", "Content-Type": "application/json"}
        if shot.token:
            headers["Authorization"] = f"Bearer {shot.token}"
        status, again, content = BROKEN, False, b""
        try:
            path = shot.path.replace("{id}", id)
            async with next(self._turns).request(shot.method, path, data=shot.body, headers=headers) as response:
                status, again = response.status, "Retry-After" in response.headers
                content = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass
        sample = Sample(shot.kind, due, time.monotonic() - self.start - due, status, again)
        self.outcome.samples.append(sample)
        return orjson.loads(content)["id"] if sample.ok else None


def _session(address: str, source: str | None) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, local_addr=(source, 0) if source else None)
    return aiohttp.ClientSession(address, connector=connector, timeout=_TIMEOUT)


async def _closed(job: Closed) -> Outcome:
    driver = _Driver(job.address, job.start)
    scripts = (numbered for _ in range(job.rounds) for numbered in enumerate(job.scripts))
    await asyncio.sleep(job.start - time.monotonic())

    async def client() -> None:
        while (now := time.monotonic() - job.start) < job.seconds:
            following = next(scripts, None)
            if following is None:
                return
            await driver.play(*following, now)

    await asyncio.gather(*(client() for _ in range(job.clients)))
    return await driver.close()


async def _opened(job: Open) -> Outcome:
    driver, under_way = _Driver(job.address, job.start, job.sources), set[asyncio.Task[None]]()
    scripts = itertools.cycle(enumerate(job.scripts))
    for due in _arrivals(job.phases):
        await asyncio.sleep(job.start + due - time.monotonic())
        number, script = next(scripts)
        if len(under_way) >= MOST_UNDER_WAY:
            driver.outcome.samples.append(Sample(script[0].kind, due, 0, UNSENT, False))
            continue
        task = asyncio.create_task(driver.play(number, script, due))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    return await driver.close()


def _arrivals(phases: Sequence[tuple[float, float]]) -> Iterator[float]:
    """When each script is due, in seconds since the start, evenly within a phase."""
    begin = 0.0
    for rate, seconds in phases:
        yield from (begin + n / rate for n in range(int(rate * seconds)))
        begin += seconds
