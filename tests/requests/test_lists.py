"""Lists: only what one may see, every filter along an index, pages without gap or repeat."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.domain.paging import Order
from services.chassis.domain.scope import Actor
from services.requests.cases.queries import CaseQuery, Sort, branches, filters, index_for
from services.requests.cases.states.model import State
from tests.requests.town import (
    ADMINISTRATOR,
    BARE,
    CENTRE,
    CITY,
    COUNTY,
    DISPATCHER,
    HOME,
    LEADER,
    NEIGHBOUR,
    OPERATOR,
    RESIDENT,
    STATION,
    STATION_HANDLER,
    STREET,
    SUPERVISOR,
    Town,
    staff,
)

LIMIT = 10
CONSTANT = 60
"""Keys that a plan may look at besides: one seek for each value of a state and of overdue, twice."""
MANY = 900


async def crowd(town: Town, others: int = 90) -> None:
    """Many cases, of all states, items, places and times, put there as documents: nothing here reads histories."""
    filed = await town.file()
    model = await town.container.mongo.find_one("cases", {"_id": filed["id"]})
    assert model is not None
    start = datetime(2026, 1, 1, tzinfo=UTC)
    documents = []
    for number, state, area in zip(
        range(MANY), itertools.cycle(State), itertools.cycle((HOME, BARE, "150702002001", "150721101001", HOME))
    ):
        at = start + timedelta(hours=number * 7919 % MANY)
        changed = {
            "state": state.value,
            "item": f"ITEM-{number % 7}",
            "area": area,
            "resident_id": f"person_{number % others}" if others and number % 30 else "person_wang",
            "handler_id": STATION if area == HOME else CENTRE,
            "overdue": number % 4 == 0,
            "filed_at": at,
            "due_at": at + timedelta(hours=number % 50),
            "county": area[:6],
        }
        document = {**model, "_id": f"case_{number:04}", "state": {**model["state"], **changed}}
        document["key"] = {"wrapped": None}  # that of the model opens nothing else
        documents.append({**document, "under": [area[:4], area[:6], area[:9], area]})
    await town.container.mongo.command("insert", "cases", documents=documents)


ACTORS = {
    "resident": RESIDENT,
    "operator": OPERATOR,
    "handler": STATION_HANDLER,
    "leader": LEADER,
    "dispatcher": DISPATCHER,
    "supervisor": SUPERVISOR,
    "handler of twenty": staff("handler", organisations=(STATION, CENTRE, *(f"organisation_{n}" for n in range(18)))),
    "two counties": staff("supervisor", COUNTY, "150721"),
    "resident and handler": Actor("both", frozenset({"resident", "handler"}), (HOME,), (STATION,), "person_wang"),
}
FILTERS: list[dict[str, Any]] = [
    {"state": State.IN_PROGRESS},
    {"item": "ITEM-3"},
    {"overdue": True},
    {"overdue": False},
    {"area": HOME},
    {"area": STREET},
    {"handler": STATION},
]


def combinations() -> list[CaseQuery]:
    """Every set of filters that names each field once, in every order; and those by time."""
    found = []
    for size in range(len(FILTERS) + 1):
        for chosen in itertools.combinations(FILTERS, size):
            names = [name for one in chosen for name in one]
            if len(names) == len(set(names)):
                together = {name: value for one in chosen for name, value in one.items()}
                found += [CaseQuery(limit=LIMIT, sort=sort, **together) for sort in Sort]
                span = {"filed_after": datetime(2026, 1, 10, tzinfo=UTC)}
                found.append(CaseQuery(limit=LIMIT, sort=Sort.NEWEST, **together, **span))
    return found


def stages(plan: Any) -> list[str]:
    """The names of all stages of a plan."""
    if isinstance(plan, dict):
        own = [plan["stage"]] if isinstance(plan.get("stage"), str) else []
        return own + [name for value in plan.values() for name in stages(value)]
    return [name for value in plan for name in stages(value)] if isinstance(plan, list) else []


async def explained(town: Town, branch: dict[str, Any], query: CaseQuery) -> Any:
    """What MongoDB does for one part of a list."""
    order = Order(f"state.{query.sort.removeprefix('-')}", descending=query.sort.startswith("-"))
    where = {"$and": [branch, asked]} if (asked := filters(query)) else branch
    find = {"find": "cases", "filter": where, "sort": dict(order.keys), "limit": query.limit + 1}
    hinted = {**find, "hint": index_for(branch, query)}
    return await town.container.mongo.command("explain", hinted, verbosity="executionStats")


@pytest.mark.parametrize("actor", ACTORS.values(), ids=ACTORS)
async def test_no_list_sorts_in_memory_or_reads_much_more_than_it_shows(town: Town, actor: Actor) -> None:
    await crowd(town)
    wrong = []
    for query in combinations():
        for branch in branches(actor, query):
            plan = await explained(town, branch, query)
            stats, kinds = plan["executionStats"], stages(plan["queryPlanner"]["winningPlan"])
            if "SORT" in kinds or "COLLSCAN" in kinds or stats["totalKeysExamined"] > 2 * stats["nReturned"] + CONSTANT:
                wrong.append((branch, query.model_dump(exclude_defaults=True), stats["totalKeysExamined"], kinds))
    assert not wrong


async def test_pages_follow_one_another_without_gap_or_repeat(town: Town) -> None:
    await crowd(town, others=0)
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = (await town.get(DISPATCHER, "/v1/requests", sort="due_at", limit=50, area=HOME, **after)).json()
        seen += [line["id"] for line in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    wanted = await town.container.mongo.find("cases", {"under": HOME}, show={"_id": 1}, limit=2000)
    assert len(seen) == len(set(seen)) == len(wanted) > 100


async def test_everybody_lists_what_is_theirs(town: Town) -> None:
    mine, theirs = await town.file(), await town.file(NEIGHBOUR, area=BARE)

    async def listed(actor: Actor, **filters: Any) -> set[str]:
        answer = await town.get(actor, "/v1/requests", **filters)
        return {line["id"] for line in answer.json()["items"]}

    assert await listed(RESIDENT) == {mine["id"]}
    assert await listed(STATION_HANDLER) == {mine["id"]}
    assert await listed(DISPATCHER) == {mine["id"], theirs["id"]}
    assert await listed(DISPATCHER, area=BARE) == {theirs["id"]}
    assert await listed(DISPATCHER, handler=STATION) == {mine["id"]}
    assert await listed(RESIDENT, area=CITY) == {mine["id"]}
    assert await listed(RESIDENT, handler=CENTRE) == set()
    assert await listed(STATION_HANDLER, area=BARE) == set()
    assert await listed(staff("dispatcher", "150721"), area=HOME) == set()
    assert (await town.get(ADMINISTRATOR, "/v1/requests")).status_code == 403
    assert (await town.get(None, "/v1/requests")).status_code == 401


async def test_a_line_shows_title_handler_and_limit_in_order(town: Town) -> None:
    first, second = await town.file(title="先"), await town.file(title="后")
    newest = (await town.get(RESIDENT, "/v1/requests")).json()["items"]
    oldest = (await town.get(RESIDENT, "/v1/requests", sort="filed_at", state="dispatched")).json()["items"]
    assert [line["title"] for line in newest] == ["后", "先"]
    assert [line["id"] for line in oldest] == [first["id"], second["id"]]
    assert newest[0]["handler"]["zh"] == "正阳社区服务站"


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"after": "x"}, "cursor-invalid"),
        ({"limit": 201}, "invalid"),
        ({"state": "somewhere"}, "invalid"),
        ({"colour": "red"}, "invalid"),
        ({"sort": "due_at", "filed_after": "2026-01-01T00:00:00Z"}, "filters-unfit"),
    ],
)
async def test_a_list_that_cannot_be_given_is_refused(town: Town, filters: dict[str, Any], code: str) -> None:
    refused = await town.get(DISPATCHER, "/v1/requests", **filters)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


async def test_a_cursor_belongs_to_its_list(town: Town) -> None:
    await town.file()
    await town.file()
    cursor = (await town.get(RESIDENT, "/v1/requests", limit=1)).json()["next"]
    assert (await town.get(RESIDENT, "/v1/requests", limit=1, after=cursor)).status_code == 200
    other = await town.get(RESIDENT, "/v1/requests", limit=1, after=cursor, sort="due_at")
    assert other.json()["code"] == "cursor-invalid"
