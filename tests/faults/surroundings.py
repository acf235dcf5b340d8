"""Faults of disk and network, where this machine lets them happen to us alone."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults import places
from tests.faults.places import cut
from tests.faults.trial import Fault, Skipped, Strike, Trial

DISK_MIB = 900
_LEFT = 1 << 20


@contextmanager
def small_disk(home: Path) -> Iterator[None]:
    """The database of requests on a small disk, as long as the block lasts."""
    with places.small_disk(home / "data" / "mongo-requests", DISK_MIB):
        yield


async def full_disk(trial: Trial) -> str:
    """The disk of a database fills up but for a mebibyte; later somebody makes room."""
    folder = trial.stack.home.data / "mongo-requests"
    if trial.own_places or not folder.is_mount():
        raise Skipped(trial.own_places or "the database has no small disk")
    filler, before = folder / "filler", trial.load.unknown
    try:
        await asyncio.to_thread(_fill, filler, shutil.disk_usage(folder).free - _LEFT)
        await asyncio.sleep(trial.seconds(6, 12))
    finally:
        filler.unlink()
    await trial.back("mongo-requests", 0)
    return f"{trial.load.unknown - before} unanswered while it was full"


def one_way(direction: str, store: str) -> Strike:
    """What goes to a store (``dport``), or comes from it (``sport``), is lost for a few seconds."""

    async def strike(trial: Trial) -> str:
        if trial.own_places:
            raise Skipped(trial.own_places)
        seconds = trial.seconds(3, 8)
        with cut(**{direction: trial.stack.layout.ports.named()[store.replace("-", "_")]}):
            await asyncio.sleep(seconds)
        return f"{'to' if direction == 'dport' else 'from'} {store}, {seconds:.1f} s"

    return strike


async def late(trial: Trial) -> str:
    """Every packet comes late."""
    if reason := trial.own_places or places.no_delays():
        raise Skipped(reason)
    with places.delayed(20):
        await trial.load.flows(60)
    return "20 ms, each way"


def _fill(file: Path, size: int) -> None:
    with suppress(OSError), file.open("wb") as filling:  # others write too: it may be full sooner
        for _ in range(size >> 20):
            filling.write(bytes(1 << 20))


FAULTS = (
    Fault("disk-full", "the disk of a database full", full_disk),
    Fault("cut-to-mongo", "what is said to a database is lost", one_way("dport", "mongo-requests")),
    Fault("cut-from-mongo", "what a database answers is lost", one_way("sport", "mongo-requests")),
    Fault("cut-to-kafka", "what is said to the broker is lost", one_way("dport", "kafka")),
    Fault("cut-from-kafka", "what the broker answers is lost", one_way("sport", "kafka")),
    Fault("late", "every packet is late", late),
)
