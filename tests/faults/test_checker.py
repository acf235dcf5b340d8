"""The checker checked: every broken variant is named by the ledger, and what runs in the city survives the same."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.local import Stack
from tests.chassis.ledger_city import City
from tests.faults.durability import JOURNAL, crashed, own_database
from tests.faults.stage import Variant, caught
from tests.faults.variants import VARIANTS
from tests.support.world import World


@pytest.fixture
async def city(world: World) -> AsyncIterator[City]:
    """A toy city of this test's own."""
    async with City.open(world) as opened:
        yield opened


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One that may be killed."""
    with own_database(tmp_path_factory.mktemp("database")) as stack:
        yield stack


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
async def test_a_broken_variant_is_caught(city: City, tmp_path: Path, variant: Variant) -> None:
    assert await caught(variant, city, tmp_path / "log.jsonl", broken=True) == variant.reported


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
async def test_what_is_not_broken_survives_the_same(city: City, tmp_path: Path, variant: Variant) -> None:
    assert await caught(variant, city, tmp_path / "log.jsonl", broken=False) == frozenset()


async def test_writes_that_are_in_no_journal_are_missed_after_a_crash(
    world: World, database: Stack, tmp_path: Path
) -> None:
    assert await crashed(world, database, tmp_path / "log.jsonl", broken=True) == JOURNAL.reported


async def test_journaled_writes_survive_the_same_crash(world: World, database: Stack, tmp_path: Path) -> None:
    assert await crashed(world, database, tmp_path / "log.jsonl", broken=False) == frozenset()
