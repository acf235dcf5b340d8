"""How long it takes to find one case, and a page of them, among a thousand and among a million; how many a second."""

import contextlib
from collections.abc import Mapping, Sequence
from random import Random

from deploy.local import Trouble
from tests.bench import alongside, masses, reading
from tests.bench.alongside import Running
from tests.bench.bench import Bench
from tests.bench.figures import Bars, Figure, Spread, at_most
from tests.bench.masses import ITEMS, STATIONS, SUB_DISTRICTS, Made
from tests.bench.reading import Ask, Look, Reading
from tests.bench.town import CITY
from tests.support import operators

NAME = "scale"
TITLE = "Among a thousand, ten thousand, a hundred thousand and a million cases"

SIZES = (1_000, 10_000, 100_000, 1_000_000)
BASE = 10_000
MOST = 1.2
PAGE = 25
ROUNDS, EACH = 10, 10
BUSY, READERS, READS = 100_000, 16, 3_000
"""Among so many cases that many readers at the same time ask for so many things."""
ONE, FILTERED, BY_ITEM, OWN_WORK, OWN = (
    "one case by its id",
    "a page: state, area and overdue, by due date",
    "a page: item and state, newest first",
    "a page: a station's own work by due date",
    "a page: a resident's own, newest first",
)
RATES = {ONE: 600, FILTERED: 400}


async def measure(bench: Bench) -> list[Figure]:
    """Fill a database for each size, start a web on each, and read from all of them in turn."""
    sizes = SIZES[:-1] if bench.pace.quick else SIZES
    made = {}
    async with contextlib.AsyncExitStack() as open_now:
        for size in sizes:
            open_now.push_async_callback(masses.drop, bench, _database(size))
            made[size] = await masses.fill(bench, _database(size), size)
            bench.say(f"  {size:,} cases: {made[size].inserting:.1f} s, indexes {made[size].indexing:.1f} s")
        webs = {size: await open_now.enter_async_context(_web(bench, size)) for size in sizes}
        looks = await _looks(bench, {size: web.address for size, web in webs.items()})
        rates = [await _rate(bench, webs[BUSY].address, kind, least) for kind, least in RATES.items()]
    _expect_full(looks)
    return [*_figures(looks, sizes[-1]), *rates, _filling(sizes[-1], made[sizes[-1]])]


def asks(bench: Bench, size: int, dice: Random) -> list[Ask]:
    """Some of each kind among so many cases, by whoever would ask for it."""
    badges, found = bench.badges, []
    for _ in range(EACH):
        number, place = dice.randrange(size), dice.choice(SUB_DISTRICTS)
        operator, supervisor = badges.staff("operator", CITY), badges.staff("supervisor", place[:6])
        handler = badges.staff("handler", place, STATIONS[place])
        resident = badges.resident(masses.resident_id(number))
        late, newest = (
            f"state=accepted&overdue=true&area={place}&sort=due_at",
            f"item={dice.choice(ITEMS)}&state=closed",
        )
        found += [
            Ask(ONE, f"/v1/requests/{masses.case_id(number)}", operator),
            Ask(FILTERED, f"/v1/requests?{late}", supervisor),
            Ask(BY_ITEM, f"/v1/requests?{newest}", supervisor),
            Ask(OWN_WORK, f"/v1/requests?state=in_progress&handler={STATIONS[place]}&sort=due_at", handler),
            Ask(OWN, "/v1/requests", resident),
        ]
    return found


async def _rate(bench: Bench, address: str, kind: str, least: float) -> Figure:
    """How many of a kind one web answers a second, without the gateway."""
    (seen,) = await bench.drive(reading.read, Reading(address, _same(bench, kind), READERS))
    return reading.rated(f"{kind}: {READERS} readers among {BUSY:,}", seen, least, least_entries=entries_of(kind))


def _same(bench: Bench, kind: str) -> list[Ask]:
    """Things of one kind, each at another place."""
    badges, dice, found = bench.badges, Random(kind), []
    for _ in range(READS):
        number, place = dice.randrange(BUSY), dice.choice(SUB_DISTRICTS)
        path = {
            ONE: f"/v1/requests/{masses.case_id(number)}",
            FILTERED: f"/v1/requests?state=accepted&overdue=true&area={place}&sort=due_at",
        }[kind]
        staff = badges.staff("supervisor", place[:6]) if kind == FILTERED else badges.staff("operator", CITY)
        found.append(Ask(kind, path, staff))
    return found


async def _looks(bench: Bench, addresses: Mapping[int, str]) -> Mapping[int, list[Look]]:
    """Size after size, again and again: what disturbs the machine for a while disturbs all of them."""
    looks: dict[int, list[Look]] = {size: [] for size in addresses}
    for turn in range(ROUNDS + 1):
        for size, address in addresses.items():
            job = Reading(address, asks(bench, size, Random(turn)))
            (seen,) = await bench.drive(reading.read, job)
            # The first time round brings everything near: the webs' keys, the database's pages.
            looks[size] += seen if turn else []
    return looks


def _web(bench: Bench, size: int) -> "contextlib.AbstractAsyncContextManager[Running]":
    theirs = bench.stack.environment("requests", "web")
    environment = {**theirs, **operators.settings(bench.stack, "requests", _database(size))}
    return alongside.running("services.requests", "web", environment, bench.folder / f"scale-{size}.log")


def _database(size: int) -> str:
    return f"bench_cases_{size}"


def _expect_full(looks: Mapping[int, Sequence[Look]]) -> None:
    """Trouble where not every page from the base on is full: less to show would be less to do."""
    for size, seen in looks.items():
        wrong = [one for one in seen if one.status != 200 or (size >= BASE and one.entries != entries_of(one.kind))]
        if wrong:
            raise Trouble(f"Among {size:,} cases {len(wrong)} answers were not as expected, such as {wrong[0]}.")


def entries_of(kind: str) -> int:
    """How many entries an answer of this kind has."""
    return 1 if kind == ONE else PAGE


def _figures(looks: Mapping[int, Sequence[Look]], most: int) -> list[Figure]:
    return [_figure(kind, looks, most) for kind in (ONE, FILTERED, BY_ITEM, OWN_WORK, OWN)]


def _figure(kind: str, looks: Mapping[int, Sequence[Look]], most: int) -> Figure:
    spreads = {size: Spread.of([one.milliseconds for one in seen if one.kind == kind]) for size, seen in looks.items()}
    ratio = spreads[most].p50 / spreads[BASE].p50
    chart = Bars(f"{kind[0].upper()}{kind[1:]}, p50", "ms", {f"among {size:,}": s.p50 for size, s in spreads.items()})
    detail = {f"among {size:,}, ms": spread.reported() for size, spread in spreads.items()}
    return Figure(f"{kind}: p50 among {most:,} against {BASE:,}", ratio, "×", at_most(MOST), detail, chart)


def _filling(size: int, made: Made) -> Figure:
    detail = {
        "inserting, s": round(made.inserting, 1),
        "indexes, s": round(made.indexing, 1),
        "cases on disk, MiB": made.cases // 2**20,
        "indexes on disk, MiB": made.indexes // 2**20,
    }
    return Figure(f"making {size:,} cases with all indexes", made.inserting + made.indexing, "s", None, detail)
