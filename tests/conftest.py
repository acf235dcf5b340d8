"""What all tests share: one broker and three databases, started once, or those that the environment names."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from deploy.local.ports import Ports
from deploy.local.stack import Stack
from tests.support.world import NAMES, Stores, World

ROOT = Path(__file__).resolve().parents[1]
CITY_DATA = ROOT / "deploy" / "cities" / "hulunbuir"
_PARTS = frozenset({"kafka", *(f"mongo-{name}" for name in NAMES)})


@pytest.fixture(scope="session", autouse=True)
def logs_beside_what_commands_say() -> None:
    """A consumer that runs in a test must not speak into the words of a command that is typed there."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """(brokers, MongoDB URI by service) of a real Kafka and three real replica sets."""
    given: dict[str, str] = {name: os.environ.get(f"LINLI_MONGO_{name.upper()}", "") for name in NAMES}
    brokers = os.environ.get("LINLI_KAFKA", "")
    if brokers and all(given.values()):
        yield brokers, given
        return
    stack = Stack(tmp_path_factory.mktemp("stack"), Ports.free(), _PARTS, lifetime="tied")
    stack.up()
    yield stack.kafka, stack.uris
    stack.down()


@pytest.fixture
async def world(stores: Stores, tmp_path: Path) -> AsyncIterator[World]:
    """A corner of its own for one test."""
    brokers, uris = stores
    yield World(brokers, uris, tmp_path, CITY_DATA)
