"""As much work as one broadcast to ten thousand: as many events, each for another inbox, through a whole worker."""

import asyncio
import time
from collections.abc import Sequence

from deploy.local import Trouble
from services.chassis.runtime.service import open_container
from services.chassis.storage.mongo import Mongo
from services.notify.app import service
from services.notify.messages.model import Message
from tests.bench import alongside, load_process
from tests.bench.alongside import Running
from tests.bench.bench import Bench
from tests.bench.figures import Figure, Lines, at_most
from tests.bench.load_process import NotifyLoad

NAME = "fanout"
TITLE = "To ten thousand inboxes"

INBOXES, QUICK, FIRST = 10_000, 1_000, 500
MOST_SECONDS = 3
# What the worker may grow by meanwhile: the keys of ten thousand people, kept at hand, and no copy of anything.
MOST_MIB = 16
LOOK_SECONDS = 0.05
GIVE_UP_SECONDS = 120
NOT_YET = "one message has 50 recipients at most; these are as many events, each for another person"


async def measure(bench: Bench) -> list[Figure]:
    """A worker with relay, timers and keys that has begun its day; then all at once."""
    inboxes = int(bench.pace.seconds(INBOXES, QUICK))
    async with load_process.opened(bench, NAME, inboxes + FIRST, inboxes + FIRST) as post:
        first, others = post.split(FIRST)
        log = bench.folder / "fanout.log"
        async with alongside.running("services.notify", "worker", post.environment, log) as worker:
            await _reported(first, worker, FIRST)
            seconds, memory = await _reported(others, worker, FIRST + inboxes)
        await _expect_complete(post, FIRST + inboxes)
    return _figures(inboxes, seconds, memory)


async def _reported(post: NotifyLoad, worker: Running, messages: int) -> tuple[float, Sequence[float]]:
    """(seconds until this many messages exist, growth of the worker's memory in MiB)."""
    container = open_container(service, post.settings)
    worker.process.suspend()  # so that all of them wait when the clock starts
    try:
        await post.accept_all()
    finally:
        worker.process.resume()
    memory, began = [worker.mib], time.monotonic()
    try:
        while await _count(container.mongo) < messages:
            memory.append(worker.mib)
            if time.monotonic() - began > GIVE_UP_SECONDS:
                raise Trouble(f"After {GIVE_UP_SECONDS} s not all of {messages} messages are written.")
            await asyncio.sleep(LOOK_SECONDS)
        return time.monotonic() - began, [*memory, worker.mib]
    finally:
        await container.mongo.close()


async def _count(mongo: Mongo) -> int:
    """How many messages there are, by what the server keeps account of: looking costs it nothing."""
    return int((await mongo.command("count", Message.collection()))["n"])


async def _expect_complete(post: NotifyLoad, messages: int) -> None:
    container = open_container(service, post.settings)
    reported = await load_process.reported(container)
    await container.mongo.close()
    if reported != (messages, messages):
        raise Trouble(
            f"Of {messages} events the worker made {reported[0]} messages and {reported[1]} lines in inboxes."
        )


def _figures(inboxes: int, seconds: float, memory: Sequence[float]) -> list[Figure]:
    growth, detail = max(memory) - memory[0], {"before": round(memory[0]), "most": round(max(memory))}
    chart = Lines("Resident memory of the worker meanwhile", "MiB", LOOK_SECONDS, {"notify-worker": memory})
    how = {"a second": round(inboxes / seconds), "that is": NOT_YET}
    return [
        Figure(f"1 → {inboxes:,} inboxes", seconds, "s", at_most(MOST_SECONDS), how),
        Figure("the worker's memory grows by", growth, "MiB", at_most(MOST_MIB), {**detail, "in": "MiB"}, chart),
    ]
