"""One whole town for all journeys: every process real, on free ports, gone with the last journey."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.collector import Collector, collecting
from tests.journeys.starting import starting
from tests.journeys.town import Person, Town

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
    # Everything is logged, so that a trace can be followed and whatever should not be said would be found.
    # A low cap: every case outgrows its document, so that all that is promised is kept across its archive too.
    given = {"LINLI_LOG_LEVEL": "debug", "LINLI_OTLP": collector.address, "LINLI_HISTORY_CAP": "5"}
    with starting(tmp_path_factory.mktemp("journeys"), given) as running:
        yield running


@pytest.fixture(scope="package")
def owner(town: Town) -> Person:
    """A resident whose things others try for."""
    return town.resident()


@pytest.fixture(scope="package")
def stranger(town: Town) -> Person:
    """A resident who tries for what is not theirs."""
    return town.resident()
