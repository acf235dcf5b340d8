"""How many cases there are, counted along one index."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from services.chassis.storage.mongo import Mongo
from services.requests.cases.model import Case
from services.requests.cases.states.model import DONE, OPEN, State

LIVE = OPEN | DONE
"""The states that cases leave again; counted often."""
ENDED = frozenset(State) - LIVE
"""The final states: they hold many cases and change slowly."""

_KEYS = ("state", "county", "system", "overdue")
_MOST = 100_000


class Counted(NamedTuple):
    """Cases by (state, system, county), and overdue ones by county."""

    cases: Counter[tuple[str, str, str]]
    overdue: Counter[str]


NOTHING = Counted(Counter(), Counter())


async def counted(mongo: Mongo, states: Iterable[State]) -> Counted:
    """Count the cases in these states."""
    within = {"$match": Case.where(state={"$in": sorted(states)})}
    names = {key: Case.stored_name(key) for key in _KEYS}
    by_key = {"$sort": dict.fromkeys(names.values(), 1)}
    group = {"$group": {"_id": {key: f"${name}" for key, name in names.items()}, "cases": {"$sum": 1}}}
    cases: Counter[tuple[str, str, str]] = Counter()
    overdue: Counter[str] = Counter()
    for found in await mongo.aggregate(Case.collection(), [within, by_key, group], _MOST):
        key, number = found["_id"], found["cases"]
        cases[key["state"], key["system"], key["county"]] += number
        overdue[key["county"]] += number if key["overdue"] else 0
    return Counted(cases, overdue)
