"""How many cases there are, counted along one index."""

from collections import Counter
from typing import NamedTuple

from services.chassis.storage.mongo import Mongo
from services.requests.cases.model import Case

_KEYS = ("county", "system", "state", "overdue")
_MOST = 100_000


class Counted(NamedTuple):
    """Cases by (state, system, county), and the late ones by county."""

    cases: Counter[tuple[str, str, str]]
    overdue: Counter[str]


async def counted(mongo: Mongo) -> Counted:
    """Count all cases now."""
    by_key = {"$sort": {f"state.{key}": 1 for key in _KEYS}}
    group = {"$group": {"_id": {key: f"$state.{key}" for key in _KEYS}, "cases": {"$sum": 1}}}
    cases: Counter[tuple[str, str, str]] = Counter()
    overdue: Counter[str] = Counter()
    for found in await mongo.aggregate(Case.collection(), [by_key, group], _MOST):
        key, number = found["_id"], found["cases"]
        cases[key["state"], key["system"], key["county"]] += number
        overdue[key["county"]] += number if key["overdue"] else 0
    return Counted(cases, overdue)
