"""Every plan of every list, as the database explains it: nothing is sorted in memory, little is read in vain."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.chassis.domain.entity import Entity
from services.chassis.domain.paging import PageQuery
from services.chassis.domain.scope import NOBODY, Actor
from services.chassis.runtime.service import Service
from services.chassis.storage import listings, search
from services.chassis.storage.listings import LISTINGS, Listing
from services.chassis.storage.mongo import Among, Document, Mongo
from services.chassis.usecase import Container
from services.contracts.members.areas import path
from services.contracts.members.roles import Role
from tests.architecture.test_use_cases import SERVICES
from tests.support.world import World

SEEKS = 2
"""Keys that each stretch of an index costs besides: the first one behind its beginning, and the one that shows its end.
A plan merges at most 200 stretches in order, so that their number is bounded too."""
COUNTED, READ = 50, 120
MANY = 900
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
PLACES = ("150702001001", "150702001002", "150702002001", "150721101001")
WORDS = "路灯"
LISTED = [
    (service, listing)
    for service in SERVICES.values()
    for kind in service.entities
    for listing in LISTINGS.get(kind, ())
]


def actors() -> Iterator[Actor]:
    """Every role by itself, in one place, in two and in the whole city, with one organisation and with twenty."""
    many = tuple(f"handler_id-{n}" for n in range(20))
    yield NOBODY
    yield Actor("somebody", frozenset({Role.RESIDENT, Role.HANDLER}), PLACES[:1], many[:1], "resident_id-0")
    for role in Role:
        for places in (PLACES[:1], ("150702", "150721"), ("1507",)):
            for organisations in (many[:1], many):
                yield Actor("somebody", frozenset({role}), places, organisations, "inbox_of-0")


def seen(kind: type[Entity[Any]]) -> list[Actor]:
    """One actor for each shape of what is visible; those who see nothing and the service itself read no list."""
    shapes = {kind.visible(actor): actor for actor in actors()}
    return [actor for visible, actor in shapes.items() if visible.everything or visible.any_of]


def value_of(name: str, number: int, different: int) -> Any:
    """What a field without a closed list of values holds in one document."""
    return BEGIN + timedelta(hours=number * 7919 % MANY) if name.endswith("_at") else f"{name}-{number % different}"


def documents(listing: Listing[Any, Any], container: Container) -> Iterator[Document]:
    """Many, with every value of every filter; of each field that only its own filters and orders name."""
    known = listing.filters
    fields = [*known.leads, *known.equal.values(), *(stored for stored, _ in known.spans.values())]
    fields += [order.field for order in listing.orders.values()]
    found = search.asked(listing.kind, WORDS, container.vault.master) if known.words else []
    for number in range(MANY):
        places = path(PLACES[number % len(PLACES)])
        state = {f[6:]: value_of(f[6:], number, 90 if f in known.few else 7) for f in fields if f[:6] == "state."}
        for place, (stored, values) in enumerate(known.closed.values()):
            state[stored[6:]] = values[number // (1 + 2 * place) % len(values)]
        only = {stored[6:]: value for stored, value in known.only.items()}
        terms = [*found] if number % 30 == 0 else found[:1] if number % 11 == 0 else []
        for field in known.has.values():
            value = f"{Role.HANDLER if number % 7 == 3 else Role.OPERATOR}"
            terms += [*search.value_tokens(field, value, ()), *search.value_tokens(field, value, places)]
        state |= {index.fields[0]: f"{number}" for index in listing.kind.indexes if index.unique}
        state |= {stored[6:]: number % 3 if number % 25 < 3 else 0 for stored in known.rare.values()}
        yield {"_id": f"x{number:05}", "version": 1, "under": [*places], "state": state | only, "terms": terms}


async def stored(listing: Listing[Any, Any], container: Container) -> list[Document]:
    """All of them, in the database."""
    many = list(documents(listing, container))
    answer = await container.mongo.command("insert", listing.kind.collection(), documents=many)
    assert answer["n"] == MANY, answer
    return many


def queries(listing: Listing[Any, Any]) -> Iterator[PageQuery]:
    """Every choice of filters that combine, in every order that goes with it."""
    known = listing.filters
    choices: dict[str, Sequence[Any]] = {name: [None, f"{stored[6:]}-0"] for name, stored in known.equal.items()}
    choices |= {
        name: [None, *values[-2:]] if len(values) < 3 else [None, values[0]]
        for name, (_, values) in known.closed.items()
    }
    choices |= {
        name: [None, PLACES[0], "150702001"] if stored == "under" else [None, f"{stored[6:]}-0"]
        for name, stored in known.leading.items()
    }
    # What is asked for by a field of few entries is asked for by that: without it, it is another list.
    choices |= {name: values[1:] for name, values in choices.items() if known.leading.get(name) in known.few}
    choices |= {name: [None, Role.HANDLER] for name in known.has}
    choices |= {name: [None, BEGIN + timedelta(hours=100)] for name in list(known.spans)[:1]}
    choices |= {"sort": directions(listing)} if len(listing.orders) > 1 else {}
    choosing = {"sort", *known.equal, *known.leading, *known.has}
    for asked in combined(choices, choosing):
        yield from fitting(listing, asked)
    # Beside these the open filters and those by time only leave out: no index has them there.
    few = {name: values for name, values in choices.items() if name not in {*known.equal, *known.spans}}
    rare: dict[str, Any] = dict.fromkeys(known.rare, 1)
    besides: list[dict[str, Any]] = [*({name: WORDS} for name in known.words), *({name: 1} for name in rare), rare]
    for asked, beside in itertools.product(combined(few, choosing), filter(None, besides)):
        yield from fitting(listing, asked | beside)


def directions(listing: Listing[Any, Any]) -> list[Any]:
    """One order for each field, rising and falling by turns: the database walks an index as well backwards."""
    fields = dict.fromkeys(order.field for order in listing.orders.values())
    falling = dict(zip(fields, itertools.cycle((False, True))))
    sort: Any = listing.query.model_fields["sort"].annotation
    return [sort(name) for name, order in listing.orders.items() if order.descending is falling[order.field]]


def combined(choices: Mapping[str, Sequence[Any]], choosing: Set[str]) -> Iterator[dict[str, Any]]:
    """Every choice of the filters by which an index is chosen, beside them one of the others or all.

    The others stand in every index that has them, and only leave out.
    """
    for values in itertools.product(*choices.values()):
        asked = {name: value for name, value in zip(choices, values, strict=True) if value is not None}
        if len(asked.keys() - choosing) <= 1 or len(asked.keys() - choosing) == len(choices.keys() - choosing):
            yield asked


def fitting(listing: Listing[Any, Any], asked: dict[str, Any]) -> Iterator[PageQuery]:
    """The query, where it has all that it needs and the order that goes with its filters."""
    known, query = listing.filters, listing.query.model_construct(limit=10, after=None, **asked)
    needed = {name for name, info in listing.query.model_fields.items() if info.is_required()}
    along = [stored for name, (stored, _) in known.spans.items() if name in asked]
    along += [stored for name, stored in known.words.items() if stored and name in asked]
    if needed <= asked.keys() and all(listing.order_of(query).field == stored for stored in along):
        yield query


class Reads:
    """What a list reads, noted instead of read."""

    def __init__(self, mongo: Mongo, patched: pytest.MonkeyPatch) -> None:
        self.made: dict[str, Document] = {}
        self._mongo = mongo
        self._numbers: dict[str, int] = {}
        patched.setattr(Mongo, "find", self._find)
        patched.setattr(Mongo, "count", self._count)

    async def _count(
        self, name: str, where: Document, limit: int, hint: str | None = None, among: Among | None = None
    ) -> int:
        if hint is not None:  # how rare a token is, is counted along its own index
            rest = [{"$limit": among.first}, {"$match": among.rest}] if among else []
            counted = [{"$match": where}, *rest, {"$limit": limit}, {"$count": "number"}]
            command = {"aggregate": name, "pipeline": counted, "cursor": {}, "hint": hint}
            self.made.setdefault(repr(command), command)
        return 1

    async def _find(self, name: str, where: Document, **how: Any) -> list[Document]:
        command = {"find": name, "filter": where, "sort": dict(how["sort"]), "limit": how["limit"], "hint": how["hint"]}
        self.made.setdefault(repr(command), command)
        return []

    async def wrong(self) -> list[tuple[Any, ...]]:
        """The lists that the database does not find along an index alone."""
        found = []
        for command in self.made.values():
            plan = await self._explained(command)
            stats, kinds = plan["executionStats"], stages(plan["queryPlanner"]["winningPlan"])
            most = max(2 * stats["nReturned"], await self._beside(command)) + SEEKS * stretches(command["filter"])
            if "SORT" in kinds or "COLLSCAN" in kinds or stats["totalKeysExamined"] > most:
                found.append((command["filter"], command["sort"], command["hint"], stats["totalKeysExamined"], kinds))
        return found

    async def wrong_counts(self) -> list[tuple[Any, ...]]:
        """The counts that read documents although the index has everything, or more than they may."""
        found = []
        for command in self.made.values():
            match, limit, rest, *_ = command["pipeline"]
            plan = await self._explained(command)
            stats, kinds = plan["executionStats"], stages(plan["queryPlanner"]["winningPlan"])
            most = limit["$limit"] + SEEKS * stretches(match["$match"])
            reads = "$match" not in rest and stats["totalDocsExamined"]
            if reads or "COLLSCAN" in kinds or stats["totalKeysExamined"] > most:
                found.append((command["pipeline"], command["hint"], stats, kinds))
        return found

    async def _explained(self, command: Document) -> Document:
        plan = await self._mongo.command("explain", command, verbosity="executionStats")
        return {**plan, **plan["stages"][0]["$cursor"]} if "stages" in plan else plan

    async def _beside(self, command: Document) -> int:
        """How many documents have what the index knows of what is asked for, where it does not know everything.

        A search reads all that have the rarest of the tokens. A list by two leading fields reads all of the first.
        """
        asked = conditions(command["filter"])
        first = next((where for where in asked if is_word(where.get(search.FIELD))), None)
        known = [where for where in asked if all(f"{name}_" in command["hint"] for name in where)]
        if first is None and len(known) == len(asked):
            return 0
        query = first or {"$and": known}
        if repr(query) not in self._numbers:
            self._numbers[repr(query)] = (await self._mongo.command("count", command["find"], query=query))["n"]
        return self._numbers[repr(query)]


def conditions(where: Document) -> list[Document]:
    """Its conditions one by one; without those of a cursor, which only leave out."""
    parts = [part for one in where.get("$and", ()) for part in conditions(one)]
    return parts + [{name: value} for name, value in where.items() if not name.startswith("$")]


def is_word(token: Any) -> bool:
    """Whether a condition on tokens asks for words."""
    return isinstance(token, str) and token.startswith(("t:", "s:"))


def stretches(where: Any) -> int:
    """Into how many stretches of its index a condition falls."""
    if isinstance(where, dict):
        return math.prod(len(one["$in"]) if is_choice(one) else stretches(one) for one in where.values())
    return max(map(stretches, where), default=1) if isinstance(where, list) else 1


def is_choice(condition: Any) -> bool:
    """Whether it names several values of a field."""
    return isinstance(condition, dict) and "$in" in condition


def stages(plan: Any) -> list[str]:
    """The names of all stages of a plan."""
    inner = plan.values() if isinstance(plan, dict) else plan
    own = [plan["stage"]] if isinstance(plan, dict) and isinstance(plan.get("stage"), str) else []
    return own + [name for value in inner if isinstance(value, (dict, list)) for name in stages(value)]


@pytest.mark.parametrize(("service", "listing"), LISTED, ids=[listing.query.__name__ for _, listing in LISTED])
async def test_no_list_sorts_in_memory_or_reads_much_more_than_it_shows(
    world: World, service: Service, listing: Listing[Any, Any]
) -> None:
    container = await world.container(service)
    many = await stored(listing, container)
    asked = list(queries(listing))
    with pytest.MonkeyPatch.context() as patched:
        reads = Reads(container.mongo, patched)
        for actor, query in itertools.product(seen(listing.kind), asked):
            store = container.context(actor, "read").store
            await listing.page(store, query)
            later = listing.order_of(query).cursor(mark(listing, store.actor, query), many[MANY // 2])
            if listing.filters.asked(query).words is None:
                await listing.page(store, query.model_copy(update={"after": later}))
    assert reads.made
    assert not await reads.wrong()
    await container.mongo.close()


COUNTING = [(service, listing) for service, listing in LISTED if listing.counts]


@pytest.mark.parametrize(("service", "listing"), COUNTING, ids=[one.query.__name__ for _, one in COUNTING])
async def test_no_count_reads_more_than_it_may_and_none_reads_documents_without_need(
    world: World, service: Service, listing: Listing[Any, Any]
) -> None:
    container = await world.container(service)
    await stored(listing, container)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(listings, "MOST_COUNTED", COUNTED)
        patched.setattr(listings, "MOST_READ", READ)
        reads = Reads(container.mongo, patched)
        for actor, query, by in itertools.product(seen(listing.kind), queries(listing), listing.counts):
            if not listing.filters.asked(query).spans:
                await listing.count(container.context(actor, "read").store, query, by)
    assert {"$match" in command["pipeline"][2] for command in reads.made.values()} == {True, False}
    assert not await reads.wrong_counts()
    await container.mongo.close()


def mark(listing: Listing[Any, Any], actor: Actor, query: PageQuery) -> Document:
    """What a cursor of this list is bound to."""
    asked = listing.filters.asked(query)
    return {**asked.leads, **asked.common}


def test_every_service_lists_something_and_every_list_is_read_here() -> None:
    assert {service.name for service, _ in LISTED} == {"members", "requests", "notify"}
    assert {type_of.__name__ for type_of in LISTINGS if type_of.__module__.startswith("services.")} == {
        listing.kind.__name__ for _, listing in LISTED
    }
