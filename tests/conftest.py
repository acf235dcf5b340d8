"""What all tests share: one broker and three databases, started once, or those that the environment names."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.local.ports import Ports
from deploy.local.stack import Stack
from tests.support.world import NAMES, World

ROOT = Path(__file__).resolve().parents[1]
CITY_DATA = ROOT / "deploy" / "cities" / "hulunbuir"
STORES = frozenset({"kafka", *(f"mongo-{name}" for name in NAMES)})


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """(brokers, MongoDB URI by service) of a real Kafka and three real replica sets."""
    given = {name: os.environ.get(f"LINLI_MONGO_{name.upper()}", "") for name in NAMES}
    brokers = os.environ.get("LINLI_KAFKA", "")
    if brokers and all(given.values()):
        yield brokers, given
        return
    stack = Stack(tmp_path_factory.mktemp("stack"), Ports.free(), STORES, lifetime="tied")
    stack.up()
    yield stack.kafka, dict(stack.uris)
    stack.down()


@pytest.fixture
async def world(stores: tuple[str, dict[str, str]], tmp_path: Path) -> AsyncIterator[World]:
    """A corner of its own for one test."""
    brokers, uris = stores
    yield World(brokers, uris, tmp_path, CITY_DATA)
