"""How long it takes to fill an empty city: the whole of it, as `linli seed` does."""

import time

from deploy.cli.seed import seed
from deploy.local import Ports, Stack
from deploy.local.home import CHECKOUT
from deploy.local.processes import EVERYTHING
from tests.bench.bench import Bench
from tests.bench.figures import Figure, at_most

NAME = "seed"
TITLE = "Filling a city of 547 communities"

MOST_SECONDS = 35
CITY_DATA = CHECKOUT / "deploy" / "cities" / "hulunbuir"


async def measure(bench: Bench) -> list[Figure]:
    """A stack of its own, while the other one rests."""
    bench.stack.down()
    given = {"LINLI_CITY": "whole", "LINLI_CITY_DATA": str(CITY_DATA)}
    whole = Stack(bench.folder / "whole", Ports.free(), EVERYTHING, given, "tied")
    try:
        began = time.monotonic()
        whole.up()
        up = time.monotonic()
        await seed(whole, CITY_DATA)
        seeded = time.monotonic()
    finally:
        whole.down()
        bench.stack.up()
    detail = {"starting before it, s": round(up - began, 1)}
    return [
        Figure("`linli seed`, the whole city, until all has arrived", seeded - up, "s", at_most(MOST_SECONDS), detail)
    ]
