"""Faults of a city with three nodes of each store: what a majority holds outlives any one of them."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from pymongo import MongoClient

from tests.faults.places import unheard
from tests.faults.trial import Fault, Row, Trial, suffered
from tests.faults.verdict import Broken
from tests.replay.ledger import Ledger
from tests.support import operators

SETTINGS = {"LINLI_TOPOLOGY": "three"}
_DATABASE = "mongo-requests"
# The primary gives up by itself after two seconds without its followers.
_FOLLOWERS_AWAY = 1.5


def _nodes(trial: Trial, part: str) -> list[str]:
    return [process.name for process in trial.stack.layout.processes if process.component == part]


async def _primary(trial: Trial, other_than: str = "") -> str:
    """Which node is primary, once one is that is not ``other_than``."""
    found = ""

    async def elected() -> bool:
        nonlocal found
        found = await asyncio.to_thread(trial.stack.primary, "requests")
        return found not in ("", other_than)

    await trial.until(elected, 60, "a primary")
    return found


async def step_down(trial: Trial) -> str:
    """The primary steps down."""
    primary = await _primary(trial)
    (row,) = (process for process in trial.stack.layout.processes if process.name == primary)
    with MongoClient[dict[str, object]](
        operators.node(trial.stack, "requests", trial.stack.layout.node(row))
    ) as client:
        await asyncio.to_thread(client.admin.command, "replSetStepDown", 5, secondaryCatchUpPeriodSecs=3)
    return f"{primary} → {await _primary(trial, primary)}"


async def primary_killed(trial: Trial) -> str:
    """The primary is killed with -9."""
    primary = await _primary(trial)
    await trial.kill(primary)
    return f"{primary} → {await _primary(trial)}"


async def primary_frozen(trial: Trial) -> str:
    """The primary stands still for seven seconds: another is elected, and then there are two for a moment."""
    primary = await _primary(trial)
    await asyncio.sleep(1)  # a node that takes a frozen primary for its source waits long: none is to be new
    async with trial.frozen(primary):
        await asyncio.sleep(7)
    return f"{primary} → {await _primary(trial)}"


async def followers_frozen(trial: Trial) -> str:
    """Both followers stand still, writes are attempted, the primary is killed; a follower becomes primary."""
    primary = await _primary(trial)
    followers = [node for node in _nodes(trial, _DATABASE) if node != primary]
    with _deaf(trial, primary, followers):
        async with trial.frozen(*followers):
            await asyncio.sleep(_FOLLOWERS_AWAY)
            killed = await trial.signal(primary, signal.SIGKILL)
        # The supervisor starts it again at once: what it alone had is lost only where it comes back too late.
        again = await _reborn(trial, primary, killed)
        os.kill(again, signal.SIGSTOP)
        try:
            elected = await _primary(trial, primary)
        finally:
            os.kill(again, signal.SIGCONT)
    await trial.back(primary, killed)
    return f"{primary} → {elected}"


def _deaf(trial: Trial, primary: str, followers: Sequence[str]) -> AbstractContextManager[None]:
    """The primary streams its oplog without being asked: the kernel of a frozen follower would still hear it."""
    port = trial.stack.layout.ports.named()[primary.replace("-", "_")]
    return nullcontext() if trial.own_places else unheard(port, [trial.stack.pid(one) for one in followers])


async def _reborn(trial: Trial, process: str, killed: int) -> int:
    while (pid := await asyncio.to_thread(trial.stack.pid, process)) in (0, killed):  # noqa: ASYNC110 - nobody calls
        await asyncio.sleep(0.02)
    return pid


async def leader_killed(trial: Trial) -> str:
    """One of the brokers, which leads a third of the partitions, is killed with -9."""
    broker = trial.chance.choice(_nodes(trial, "kafka"))
    await trial.kill(broker)
    return broker


async def rolled(trial: Trial) -> str:
    """One process after the other is stopped orderly and started again."""
    parts: Sequence[str] = ["kafka", _DATABASE]
    if not trial.quick:
        parts = [*parts, "requests-web", "requests-worker"]
    for node in (node for part in parts for node in _nodes(trial, part)):
        async with trial.without(node):
            await trial.load.flows(5, 10)
    return ", ".join(parts)


FAULTS = (
    Fault("step-down", "the primary steps down", step_down),
    Fault("primary-killed", "the primary killed with -9", primary_killed),
    Fault("primary-frozen", "the primary frozen for seven seconds", primary_frozen),
    Fault("followers-frozen", "both followers frozen, the primary killed", followers_frozen),
    Fault("leader-killed", "a broker killed with -9", leader_killed),
    Fault("rolled", "rolling restart", rolled),
)
WEAK = Fault(
    "w=1", "both followers frozen, the primary killed, and a web that does not wait for them", followers_frozen
)


async def weak(trial: Trial, folder: Path) -> Row:
    """The same with a web whose writes are acknowledged by one node: the ledger has to miss some (L1)."""
    if trial.own_places:
        return Row(WEAK.name, trial.own_places, skipped=True)
    log, uri = folder / "weak.jsonl", trial.stack.uris["requests"].replace("w=majority", "w=1")
    async with trial.beside("services", "requests", "web", LINLI_MONGO_REQUESTS=uri) as web:
        await trial.until(web.ready, 60, "the web that does not wait")
        with Ledger(log) as ledger:
            load = replace(trial.load, ledger=ledger, addresses=(web.address,))
            row = await suffered(replace(trial, load=load, log=log), WEAK)
    missed = sum(one.breaches for one in row.broken if one.check == "L1")
    others = [one for one in row.broken if one.check != "L1"]
    if not missed and not row.trouble:
        others.append(Broken("requests", "L1", "", 1, ["nothing was missed: the broken variant is not caught"]))
    return replace(row, note=f"{row.note}; caught by L1: {missed} accepted and lost", broken=others)
