"""How many operations the databases do: the round trips of which a command consists, counted by the servers."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from services.chassis.storage.mongo import connect
from tests.bench.bench import Bench
from tests.bench.figures import Bars, Bound, Figure
from tests.support import operators

COUNTED = ("aggregate", "delete", "find", "findAndModify", "getMore", "insert", "update")


async def done(bench: Bench) -> Mapping[str, int]:
    """Operations by database and kind, and how often each journal went to the disk, since the servers began."""
    found = await asyncio.gather(*(_of(service, uri) for service, uri in operators.uris(bench.stack).items()))
    return {name: count for one in found for name, count in one.items()}


def each(
    name: str, before: Mapping[str, int], after: Mapping[str, int], commands: int, bound: Bound | None = None
) -> Figure:
    """Operations for one command, by database and kind; those that would come without any command are among them."""
    taken = {what: (after[what] - before[what]) / max(1, commands) for what in after}
    chart = Bars(f"Database operations for one {name} command", "", _by_database(taken))
    detail = {what: round(value, 2) for what, value in taken.items() if value >= 0.01}
    total = sum(value for what, value in taken.items() if not what.endswith("journal"))
    return Figure(f"database operations for one {name} command", total, "", bound, detail, chart)


async def _of(service: str, uri: str) -> Mapping[str, int]:
    mongo = connect(uri)
    try:
        reported = await mongo.command("serverStatus")
    finally:
        await mongo.close()
    counts = {f"{service} {kind}": int(reported["metrics"]["commands"][kind]["total"]) for kind in COUNTED}
    return {**counts, f"{service} journal": int(reported["wiredTiger"]["log"]["log sync operations"])}


def _by_database(taken: Mapping[str, float]) -> Mapping[str, float]:
    sums = defaultdict[str, float](float)
    for what, value in taken.items():
        service, kind = what.split()
        if kind != "journal":
            sums[service] += value
    return dict(sums)
