"""One fault after the other: struck under load, healed, waited for, judged; each a row of the table."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.cli.city.quiet import until_quiet
from deploy.local import Ports, Stack, Trouble, waiting
from deploy.local.home import CHECKOUT
from tests.faults.load import Load
from tests.faults.providers import Providers
from tests.faults.verdict import Broken, judge

_QUIET_SECONDS = 180
_STOP_SECONDS = 40


class Skipped(Exception):
    """A fault that this machine does not let happen; the text says why."""


@dataclass
class Trial:
    """What a fault works with."""

    stack: Stack
    load: Load
    log: Path
    chance: random.Random
    providers: Providers
    quick: bool
    own_places: str
    """Why there is no network of our own; empty where there is."""
    planted: Counter[str] = field(default_factory=Counter)

    def seconds(self, least: float, most: float) -> float:
        """A time by the seed; the shortest where it is to be quick."""
        drawn = self.chance.uniform(least, most)
        return least if self.quick else drawn

    async def signal(self, process: str, number: signal.Signals) -> int:
        """Send a signal to a process, which it has once it runs; the pid it had."""
        while (pid := await asyncio.to_thread(self.stack.pid, process)) == 0:  # noqa: ASYNC110 - nobody calls
            await asyncio.sleep(0.05)
        os.kill(pid, number)
        return pid

    async def kill(self, process: str) -> None:
        """End a process without a word, and wait until another is ready in its place."""
        killed = await self.signal(process, signal.SIGKILL)
        await self.back(process, killed)

    async def back(self, process: str, killed: int) -> None:
        """Wait until a process is ready that is not the one that was killed."""
        (row,) = (one for one in self.stack.layout.processes if one.name == process)
        for _ in range(1200):
            pid = await asyncio.to_thread(self.stack.pid, process)
            if pid not in (0, killed) and (await asyncio.to_thread(waiting.readiness, self.stack.layout, row)).ready:
                return
            await asyncio.sleep(0.1)
        raise Trouble(f"{process} does not come back after it was killed.")

    @asynccontextmanager
    async def frozen(self, *processes: str) -> AsyncIterator[None]:
        """These stand still as long as the block lasts."""
        pids = [await self.signal(process, signal.SIGSTOP) for process in processes]
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    @asynccontextmanager
    async def without(self, process: str) -> AsyncIterator[None]:
        """A process is stopped orderly as long as the block lasts."""
        await asyncio.to_thread(self.stack.stop, process)
        try:
            yield
        finally:
            await asyncio.to_thread(self.stack.start, process)

    @asynccontextmanager
    async def beside(self, *words: str, slot: int = 0, port: int = 0, **more: str) -> AsyncIterator["Beside"]:
        """A process of our own for a service, such as ``("dying", "requests", "worker", …)``; killed at the end."""
        port = port or Ports.free().gateway
        reported = self.stack.home.logs / f"{'-'.join(words[:3])}-{self.chance.getrandbits(24):x}"
        settings = {**self.stack.environment(words[1], words[2]), "LINLI_SLOT": str(slot), "LINLI_PORT": str(port)}
        process = _started(words, {**settings, **more}, reported)
        try:
            yield Beside(process, f"http://127.0.0.1:{port}", reported.with_suffix(".deaths"))
        finally:
            await asyncio.to_thread(_ended, process)

    async def until(self, condition: Callable[[], Awaitable[bool]], seconds: float, what: str) -> None:
        """Wait for a condition; Trouble where it does not come."""
        give_up = time.monotonic() + seconds
        while not await condition():
            if time.monotonic() > give_up:
                raise Trouble(f"Waited {seconds:g} s for {what}.")
            await asyncio.sleep(0.1)


def _started(words: Sequence[str], settings: Mapping[str, str], reported: Path) -> subprocess.Popen[bytes]:
    """What it says goes into one file, its deaths into another."""
    module = (f"services.{words[1]}", words[2]) if words[0] == "services" else (f"tests.faults.{words[0]}", *words[1:])
    bare = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    with reported.with_suffix(".log").open("wb") as out, reported.with_suffix(".deaths").open("wb") as err:
        command, env = [sys.executable, "-m", *module], {**bare, **settings}
        return subprocess.Popen(command, cwd=CHECKOUT, env=env, stdout=out, stderr=err)


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Beside:
    """A process beside the stack's own."""

    process: subprocess.Popen[bytes]
    address: str
    file: Path

    def deaths(self) -> int:
        """How often it died so far."""
        return self.file.read_text().count(": died")

    async def ready(self) -> bool:
        """Whether it does its work."""
        status, _ = await asyncio.to_thread(waiting.get, f"{self.address}/readyz", 2)
        return status == 200


Strike = Callable[[Trial], Awaitable[str]]
"""Let it happen under load and heal it; what is worth a note."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong."""

    name: str
    title: str
    strike: Strike


@dataclass(frozen=True)
class Row:
    """What came of a fault."""

    fault: str
    note: str
    commands: int = 0
    unknown: int = 0
    recovered: float = 0
    seconds: float = 0
    broken: Sequence[Broken] = ()
    trouble: str = ""
    skipped: bool = False

    @property
    def bad(self) -> bool:
        """Whether a promise was broken, or it did not heal."""
        return bool(self.broken or self.trouble)

    def reported(self) -> str:
        """A line of the table."""
        if self.skipped:
            return f"{self.fault:16} skipped: {self.note}"
        breaches = sum(one.breaches for one in self.broken)
        figures = f"{self.commands:6} {self.unknown:8} {self.recovered:9.1f} {self.seconds:8.1f} {breaches:9}"
        return "\n".join([f"{self.fault:16}{figures}  {self.note}", *self._worse()])

    def _worse(self) -> Iterable[str]:
        yield from (f"    {one.reported()}" for one in self.broken)
        if self.trouble:
            yield f"    {self.trouble}"


HEAD = f"{'fault':16}{'done':>6} {'unknown':>8} {'recovered':>9} {'seconds':>8} {'breaches':>9}  note"


async def suffered(trial: Trial, fault: Fault) -> Row:
    """Let one happen, and say what came of it."""
    began, load = time.monotonic(), trial.load
    healed, note, trouble = began, "", ""
    try:
        async with load.at_work():
            await load.flows(10)
            note = await fault.strike(trial)
            healed = time.monotonic()
            await load.flows(10)
        await until_quiet(trial.stack, _QUIET_SECONDS)
        quiet = time.monotonic()
        broken = await judge(trial.stack, trial.log, trial.planted, trial.providers)
    except Skipped as reason:
        return Row(fault.name, str(reason), skipped=True)
    except Exception as error:
        quiet, broken = time.monotonic(), []
        trouble = f"{type(error).__name__}: {error}"
    if load.silent:
        trouble += f" {load.silent} commands were never answered"
    refusals = ", ".join(f"{count} × {code}" for code, count in load.refused.items() if count)
    note = "; ".join(part for part in (note, refusals) if part)
    figures = (load.done, load.unknown, quiet - healed, time.monotonic() - began)
    return Row(fault.name, note, *figures, broken=broken, trouble=trouble)
