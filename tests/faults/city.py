"""The city under attack: a stack of its own, seeded small, with residents and the handlers of one station."""

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.cli.city.client import Gateway
from deploy.cli.city.progress import side_by_side
from deploy.cli.city.quiet import until_quiet
from deploy.cli.seed import seed
from deploy.local import Ports, Stack
from deploy.local.home import CHECKOUT
from deploy.local.processes import EVERYTHING
from tests.bench.badges import Badges
from tests.bench.town import CITY, COMMUNITY, station

RESIDENTS, HANDLERS = 32, 16
# Short, so that leases run out and histories are archived within a run.
HASTE = {"LINLI_LEASE_SECONDS": "3", "LINLI_HISTORY_CAP": "5"}


@dataclass(frozen=True)
class People:
    """Tokens of everybody who acts."""

    residents: list[str]
    handlers: list[str]
    operator: str


@contextmanager
def running(stack: Stack, data: Path) -> Iterator[None]:
    """A stack at work and seeded from ``data``; gone at the end. It is tied to the thread that calls this."""
    stack.up()
    try:
        asyncio.run(seed(stack, data))
        yield
    finally:
        stack.down()


def stack(folder: Path, more: Mapping[str, str]) -> tuple[Stack, Path]:
    """(a stack in a folder with these settings besides, its city's data); not started."""
    data = folder / "city"
    shutil.copytree(CHECKOUT / "deploy" / "cities" / "hulunbuir", data)
    shutil.copy(CHECKOUT / "tests" / "journeys" / "city" / "areas.json", data)
    given = {"LINLI_CITY": "faults", "LINLI_CITY_DATA": str(data), **HASTE, **more}
    return Stack(folder / "home", Ports.free(), EVERYTHING, given, "tied"), data


async def people(stack: Stack) -> People:
    """Register residents over HTTP and find their station; every service knows them then."""
    badges, persons = Badges(stack), list[str]()
    async with Gateway(stack.gateway) as gateway:

        async def one(number: int) -> None:
            token = badges.staff("operator", CITY, number=number)
            body = {"phone": f"139{number:08}", "name": "测试居民", "area": COMMUNITY}
            answer = await gateway.ask("POST", "/v1/people", token=token, key=f"faults:{number}", body=body)
            persons.append(answer.expect("registering a resident")["id"])

        await side_by_side(one, range(RESIDENTS), 8)
    await until_quiet(stack)
    residents = [badges.resident(person) for person in persons]
    theirs = await station(stack, residents[0])
    handlers = [badges.staff("handler", COMMUNITY, theirs, number=n) for n in range(HANDLERS)]
    return People(residents, handlers, badges.staff("operator", CITY))
