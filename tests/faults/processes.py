"""Faults of single processes: each killed without a word, each frozen and thawed, and several at once by the seed."""

import asyncio
from collections.abc import Sequence

from tests.faults.trial import Fault, Strike, Trial

PARTS: dict[str, Sequence[str]] = {
    "web": ("members-web", "requests-web", "notify-web"),
    "worker": ("members-worker", "requests-worker", "notify-worker"),
    "kafka": ("kafka",),
    "mongo": ("mongo-members", "mongo-requests", "mongo-notify"),
}
ALL = tuple(process for part in PARTS.values() for process in part)


def killed(processes: Sequence[str]) -> Strike:
    """Each of these killed with -9, one after the other."""

    async def strike(trial: Trial) -> str:
        for process in processes:
            await trial.kill(process)
            await trial.load.flows(10)
        return f"kill -9: {', '.join(processes)}"

    return strike


def frozen(processes: Sequence[str]) -> Strike:
    """Each of these stopped for two to seven seconds, one after the other, and thawed."""

    async def strike(trial: Trial) -> str:
        seconds = [trial.seconds(2, 7) for _ in processes]
        for process, pause in zip(processes, seconds, strict=True):
            async with trial.frozen(process):
                await asyncio.sleep(pause)
            await trial.load.flows(10)
        return ", ".join(f"{process} {pause:.1f} s" for process, pause in zip(processes, seconds, strict=True))

    return strike


async def mixed(trial: Trial) -> str:
    """Three processes at once, each killed or frozen after a while, as the seed has it."""
    chosen = trial.chance.sample(ALL, 3)
    plans = [(process, trial.chance.choice(("killed", "frozen")), trial.chance.uniform(0, 3)) for process in chosen]

    async def one(process: str, what: str, pause: float) -> None:
        await asyncio.sleep(pause)
        if what == "killed":
            await trial.kill(process)
            return
        async with trial.frozen(process):
            await asyncio.sleep(trial.chance.uniform(2, 7))

    async with asyncio.TaskGroup() as group:
        for plan in plans:
            group.create_task(one(*plan))
    return ", ".join(f"{process} {what}" for process, what, _ in plans)


FAULTS = (
    *(Fault(f"kill-{part}", f"each {part} killed with -9", killed(names)) for part, names in PARTS.items()),
    *(Fault(f"freeze-{part}", f"each {part} frozen and thawed", frozen(names)) for part, names in PARTS.items()),
)
MIXED = Fault("mixed", "three processes killed or frozen at once", mixed)
