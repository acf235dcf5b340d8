"""The ledger and the gauges: what workers show is what broker and database say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import FastAPI

from deploy.local.ports import Ports
from services.chassis.operations.ledger.lag import Shown, Truth, Unanswered, contradictions
from services.chassis.runtime import health
from services.chassis.telemetry import metrics
from tests.chassis.ledger_city import City
from tests.support import toy

pytestmark = pytest.mark.usefixtures("poison")
PLACE = ("linli.members.v1", 3)


@asynccontextmanager
async def shown() -> AsyncIterator[str]:
    """This process's metrics at an address, as a worker shows them."""
    app = FastAPI()
    health.install(app, {})
    port = Ports.free().members_worker
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(5):
        while not server.started:  # noqa: ASYNC110 - uvicorn only says so when asked
            await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


async def test_gauges_that_show_what_is_so_agree(city: City) -> None:
    await city.jar(1, 13, 2)
    await city.publish()
    async with city.consuming(), shown() as worker:
        await city.caught_up()
        await city.publish()
        assert await city.breaches(toy.hall, workers=(worker,)) == set()
        metrics.parked_events.labels("count-coins").set(5)
        assert await city.breaches(toy.hall, workers=(worker,), within=0) == {("requests", "L9", "gauges")}


async def test_a_worker_that_shows_nothing_is_trouble_and_no_breach(city: City) -> None:
    with pytest.raises(Unanswered, match="/metrics"):
        await city.verify(toy.shop, workers=("http://127.0.0.1:1",))


def truth(end: int, confirmed: int, parked: int = 0) -> Truth:
    """What broker and database say of one partition and one reaction."""
    return Truth({PLACE: end}, {PLACE: confirmed}, {"count": parked})


@pytest.mark.parametrize(
    ("before", "lag", "parked", "after", "clashes"),
    [
        (truth(100, 100), 0, 0, truth(100, 100), 0),
        (truth(100, 100), 1, 0, truth(100, 100), 1),
        (truth(100, 90), 7, 0, truth(120, 95), 0),
        (truth(6000, 0), 0, 0, truth(6000, 0), 1),
        (truth(5, 5, 2), 0, 2, truth(5, 5, 4), 0),
        (truth(5, 5, 2), 0, 5, truth(5, 5, 4), 1),
        (truth(5, 5, 2), 0, 0, truth(5, 5, 2), 1),
    ],
)
def test_a_gauge_must_lie_between_what_was_true_before_and_after(
    before: Truth, lag: int, parked: int, after: Truth, clashes: int
) -> None:
    assert len(contradictions(before, Shown({PLACE: lag}, {"count": parked}), after)) == clashes
