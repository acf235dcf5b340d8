"""One whole town for all journeys: every process real, on free ports, gone with the last journey."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.local import Ports, Stack
from deploy.local.processes import EVERYTHING
from tests.journeys.collector import Collector, collecting
from tests.journeys.town import ROOT, Town

HERE = Path(__file__).parent
FIRST_SECONDS = 300
"""The first journey waits for a whole town to be started and seeded, on a busy machine too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give journeys the time of their town; all other tests keep the shorter limit of ``pyproject.toml``."""
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(FIRST_SECONDS))


@pytest.fixture(scope="package")
def collector() -> Iterator[Collector]:
    """Where the town's traces go."""
    with collecting() as running:
        yield running


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Town]:
    """A small town, started and seeded."""
    data = tmp_path_factory.mktemp("city")
    # Its own places; the services and rules are those that ship, so that the journeys use the real ones.
    shutil.copytree(ROOT / "deploy" / "cities" / "hulunbuir", data, dirs_exist_ok=True)
    shutil.copy(HERE / "city" / "areas.json", data)
    home = tmp_path_factory.mktemp("town")
    # Everything is logged, so that a trace can be followed and whatever should not be said would be found.
    given = {"LINLI_CITY": "trial", "LINLI_CITY_DATA": str(data), "LINLI_LOG_LEVEL": "debug"}
    # A low cap: every case outgrows its document, so that all that is promised is kept across its archive too.
    given |= {"LINLI_KNOWN_NETWORKS": "127.0.0.0/8"}  # all of the town signs in from here
    given |= {"LINLI_OTLP": collector.address, "LINLI_HOME": str(home), "LINLI_HISTORY_CAP": "5"}
    stack = Stack(home, Ports.free(), EVERYTHING, given, "tied")
    bare = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    stack.up()
    try:
        with httpx.Client(base_url=stack.gateway, timeout=30) as http:
            town = Town(stack, http, {**bare, "LINLI_HOME": str(home), "NO_COLOR": "1"})
            seeded = town.linli("seed")
            assert seeded.returncode == 0, seeded.stdout + seeded.stderr
            yield town
    finally:
        stack.down()
