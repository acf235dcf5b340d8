"""Deaths at named points: the process in whose hands something is dies there, again and again, while the load runs."""

import asyncio
import time
from collections.abc import Sequence

from tests.faults.trial import Beside, Fault, Strike, Trial

_MOST_SECONDS = 90.0  # on a busy machine a life may take long to begin


def of_worker(service: str, points: Sequence[str]) -> Strike:
    """In place of a service's worker stands one that dies, for a while at each of these points."""

    async def strike(trial: Trial) -> str:
        process, deaths = f"{service}-worker", []
        port = trial.stack.layout.ports.named()[f"{service}_worker"]
        async with trial.without(process):
            for point in points:
                words = ("dying", service, "worker", "--die-at", point, "--seed", _seed(trial))
                async with trial.beside(*words, port=port) as dying:
                    deaths.append(f"{point} {await _deaths(trial, dying)}")
        return f"deaths: {', '.join(deaths)}"

    return strike


def of_web(service: str, points: Sequence[str]) -> Strike:
    """A process that dies runs beside the service's web process; clients repeat with the same key at either."""

    async def strike(trial: Trial) -> str:
        deaths, addresses = [], trial.load.addresses
        for point in points:
            async with trial.beside("dying", service, "web", "--die-at", point, "--seed", _seed(trial)) as dying:
                trial.load.addresses = (*addresses, dying.address)
                deaths.append(f"{point} {await _deaths(trial, dying)}")
                trial.load.addresses = addresses
        return f"deaths: {', '.join(deaths)}"

    return strike


async def _deaths(trial: Trial, dying: Beside) -> int:
    """Let it die a few times; how often it did in time."""
    wanted, give_up = 1 if trial.quick else 2, time.monotonic() + _MOST_SECONDS
    while dying.deaths() < wanted and time.monotonic() < give_up:  # noqa: ASYNC110 - the dead do not call
        await asyncio.sleep(0.1)
    if not dying.deaths():
        raise RuntimeError(f"nobody died: see {dying.file.with_suffix('.log')}")
    return dying.deaths()


def _seed(trial: Trial) -> str:
    return str(trial.chance.getrandbits(32))


FAULTS = (
    Fault("web-points", "the web dies before and after its write", of_web("requests", ("before-write", "after-write"))),
    Fault(
        "relay-points",
        "the relay dies around send, acknowledgement, mark and archive",
        of_worker("requests", ("after-send", "before-mark", "after-mark", "before-pull")),
    ),
    Fault(
        "consumer-points",
        "the consumer dies around effect, memory and commit",
        of_worker("notify", ("before-effect", "before-memory", "before-commit", "after-commit")),
    ),
    Fault("notice-point", "a provider took it, nobody noted it", of_worker("notify", ("before-note",))),
)
