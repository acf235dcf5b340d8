"""The town that is measured: a stack of its own with everything on, seeded small, and its residents."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.cli.city.client import Gateway
from deploy.cli.city.progress import side_by_side
from deploy.cli.city.quiet import until_quiet
from deploy.cli.seed import seed
from deploy.local import Ports, Stack
from deploy.local.home import CHECKOUT
from deploy.local.processes import EVERYTHING
from tests.bench.badges import Badges

CITY, COMMUNITY = "9901", "990101001001"
ITEM = "GOV-GENERAL"
RESIDENTS = 256
AT_ONCE = 16


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """A seeded stack in a folder, as it ships but for its ports and its places; gone at the end.

    It is tied to the thread that calls this.
    """
    data = folder / "city"
    shutil.copytree(CHECKOUT / "deploy" / "cities" / "hulunbuir", data)
    shutil.copy(CHECKOUT / "tests" / "journeys" / "city" / "areas.json", data)
    given = {"LINLI_CITY": "bench", "LINLI_CITY_DATA": str(data)}
    stack = Stack(folder / "home", Ports.free(), EVERYTHING, given, "tied")
    stack.up()
    try:
        asyncio.run(seed(stack, data))
        yield stack
    finally:
        stack.down()


async def settle(stack: Stack, badges: Badges) -> list[str]:
    """Register the residents over HTTP and wait until every service knows them; their person ids."""
    people: list[str] = []
    async with Gateway(stack.gateway) as gateway:

        async def one(number: int) -> None:
            token = badges.staff("operator", CITY, number=number)
            body = {"phone": f"139{number:08}", "name": "测试居民", "area": COMMUNITY}
            answer = await gateway.ask("POST", "/v1/people", token=token, key=f"bench:{number}", body=body)
            people.append(answer.expect("registering a resident")["id"])

        await side_by_side(one, range(RESIDENTS), AT_ONCE)
    await until_quiet(stack)
    return people


async def station(stack: Stack, token: str) -> str:
    """The organisation that gets what is filed: whose case a first one became."""
    async with Gateway(stack.gateway) as gateway:
        answer = await gateway.ask("POST", "/v1/requests", token=token, key="bench:first", body=filing())
    return str(answer.expect("filing a first request")["handler"]["id"])


def filing(**more: Any) -> dict[str, Any]:
    """The body of a request that a station settles; what is given replaces the defaults."""
    return {
        "item": ITEM,
        "area": COMMUNITY,
        "title": "楼道灯不亮",
        "text": "三单元的楼道灯坏了一个星期，老人晚上回家看不见。",
        "answers": {"need": "修好楼道灯"},
        **more,
    }
