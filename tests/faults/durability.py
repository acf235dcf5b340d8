"""The broken variant that needs a database of its own to kill: writes that are acknowledged and in no journal."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from deploy.local import Ports, Stack, databases
from tests.chassis.ledger_city import City
from tests.faults.stage import Caught, Stage, Variant, caught
from tests.support import operators, toy
from tests.support.road import until
from tests.support.world import World

_NODE = "mongo-members"
_WRITERS, _WRITES, _CRASHES = 4, 100, 2
_JOURNAL_MILLISECONDS = 500
"""The longest interval at which a node writes its journal: the shorter it is, the less a crash loses."""


@contextmanager
def own_database(folder: Path) -> Iterator[Stack]:
    """One node for the shop alone; it is tied to the thread that calls this."""
    stack = Stack(folder, Ports.free(), frozenset({_NODE}), lifetime="tied")
    stack.up()
    try:
        yield stack
    finally:
        stack.down()


async def crashed(world: World, stack: Stack, log: Path, *, broken: bool) -> Caught:
    """Commands are answered, the node is killed with -9, and so again; what the ledger finds when it is back."""
    uri = operators.uri(stack, "members")
    if broken:
        uri = uri.replace("w=majority", "w=1").replace("journal=true", "journal=false")

    async def killed(stage: Stage) -> None:
        for number in range(1, _CRASHES + 1):
            await _crash(stage, stack, number * _WRITES)

    async with City.open(replace(world, uris={**world.uris, "members": uri})) as city:
        return await caught(replace(JOURNAL, play=killed), city, log, broken=broken)


async def _crash(stage: Stage, stack: Stack, writes: int) -> None:
    """Kill the node when this many commands are answered, and wait until it is back."""
    pid, (address, *_) = stack.pid(_NODE), stack.layout.nodes(_NODE)
    with MongoClient[dict[str, Any]](operators.node(stack, "members", address)) as client:
        client.admin.command("setParameter", journalCommitInterval=_JOURNAL_MILLISECONDS)  # forgotten at a start

    async def enough() -> bool:
        return stage.answered >= writes

    async def back() -> bool:
        return stack.pid(_NODE) not in (0, pid) and databases.role(address) == "primary"

    writers = [asyncio.create_task(_write(stage)) for _ in range(_WRITERS)]
    await until(enough, 60)
    os.kill(pid, signal.SIGKILL)
    for writer in writers:
        writer.cancel()
    await asyncio.gather(*writers, return_exceptions=True)
    await until(back, 60)


async def _write(stage: Stage) -> None:
    while True:
        await stage.command()


async def _nothing(stage: Stage) -> None:
    """What happens needs the database: see ``crashed``."""


JOURNAL = Variant("w=1&journal=false", "kill -9 of its one node", toy.shop, frozenset({("L1", "")}), _nothing)
