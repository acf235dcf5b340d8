"""What a measurement starts beside the stack: a fresh interpreter for one job, a process of a service of its own."""

import asyncio
import contextlib
import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from deploy.local import Trouble, waiting
from deploy.local.home import CHECKOUT
from deploy.local.logs import last_lines
from deploy.local.supervision import TETHER

T = TypeVar("T")
J = TypeVar("J")
MIB = 2**20
_READY_SECONDS, _STOP_SECONDS, _PAUSE = 90, 30, 0.1


async def apart(work: Callable[[J], T], job: J) -> T:
    """Do a job in an interpreter in which nothing ran before; ``work`` is a function of a module."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as alone:
        return await asyncio.get_running_loop().run_in_executor(alone, work, job)


@dataclass(frozen=True)
class Running:
    """A web or a worker, and where it listens."""

    address: str
    process: psutil.Process

    @property
    def mib(self) -> float:
        """Its resident memory."""
        return float(self.process.memory_info().rss) / MIB


@contextlib.asynccontextmanager
async def running(module: str, role: str, environment: Mapping[str, str], log: Path) -> AsyncIterator[Running]:
    """A process of a service with these settings, from when it is ready; Trouble where it never is."""
    port = _free_port()
    bare = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    command = [*TETHER, sys.executable, "-m", module, role]
    with log.open("wb") as lines:
        started = subprocess.Popen(  # noqa: ASYNC220 - the fork takes a moment, and nothing else waits
            command,
            cwd=CHECKOUT,
            env={**bare, **environment, "LINLI_PORT": str(port)},
            stdout=lines,
            stderr=lines,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        await _until_ready(started, address, log)
        yield Running(address, psutil.Process(started.pid))
    finally:
        await asyncio.to_thread(_end, started)


async def _until_ready(started: subprocess.Popen[bytes], address: str, log: Path) -> None:
    for _ in range(int(_READY_SECONDS / _PAUSE)):
        status, _ = await asyncio.to_thread(waiting.get, f"{address}/readyz", 2)
        if status == 200:
            return
        if started.poll() is not None:
            break
        await asyncio.sleep(_PAUSE)
    raise Trouble(f"A process of the bench is not ready, see {log.name}.", lines=last_lines(log, 10))


def _end(started: subprocess.Popen[bytes]) -> None:
    started.terminate()
    try:
        started.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        started.kill()
        started.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
