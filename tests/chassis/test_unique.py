"""Values that only one entity may have: by a unique index, or by claims where the collection is sharded."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, ClassVar

import pytest

from services.chassis.domain.entity import Entity, Index
from services.chassis.domain.events import Event
from services.chassis.guards import visible
from services.chassis.runtime.service import Service
from services.chassis.storage import migrations
from services.chassis.storage.errors import DatabaseRefused
from services.chassis.storage.mongo import New
from services.chassis.usecase import Container, Context, usecase
from tests.support.toy import KEEPER
from tests.support.world import World

SHARDED = frozenset({"badges"})


class BadgeGiven(Event):
    """A badge was given."""

    number: str


class Badge(Entity[BadgeGiven]):
    """A badge with a number of its own."""

    entity_type: ClassVar[str] = "badge"
    indexes: ClassVar[tuple[Index, ...]] = (Index(("number",), unique=True),)

    number: str

    def apply(self, event: BadgeGiven) -> None:
        """Fold an event into the state."""
        self.number = event.number


OFFICE = Service(name="members", entities=(Badge,))


@usecase(allow="keeper", within=visible)
async def give(ctx: Context, numbers: Sequence[str]) -> Badge:
    """Give a badge with the first of these numbers that is free."""
    async with ctx.store.create(Badge) as badge:
        number = await ctx.claims.unique(Badge, "number", numbers, badge.id)
        badge.record(BadgeGiven(number=number))
    return badge


@usecase(allow="keeper", within=visible)
async def insist(ctx: Context, number: str) -> Badge:
    """Give a badge with this number, whether it is free or not."""
    async with ctx.store.create(Badge) as badge:
        badge.record(BadgeGiven(number=number))
    return badge


@pytest.fixture
async def office(world: World) -> AsyncIterator[Container]:
    """An office that gives badges, on a database of its own."""
    container = await world.container(OFFICE)
    yield container
    await container.mongo.close()


def doing(office: Container, cause: str) -> Context:
    return office.context(KEEPER, cause, within=visible)


async def given(office: Container) -> list[str]:
    found = await office.mongo.find("badges", {}, sort=[("state.number", 1)], limit=99)
    return [badge["state"]["number"] for badge in found]


async def shard(office: Container) -> Container:
    """The office as it is once its badges are sharded: no index spans the shards."""
    await office.mongo.command("dropIndexes", "badges", index="state.number_1")
    await migrations.build(office.mongo, (Badge,), SHARDED)
    return replace(office, sharded=SHARDED)


@pytest.mark.parametrize("sharded", [frozenset(), SHARDED])
async def test_a_value_that_another_has_is_passed_over(office: Container, sharded: Collection[str]) -> None:
    office = await shard(office) if sharded else office
    numbers = [await give(doing(office, f"give {n}"), ["1", "2", "3"]) for n in range(3)]
    assert [badge.number for badge in numbers] == ["1", "2", "3"]
    with pytest.raises(RuntimeError, match=r"every number for badge_.* is taken"):
        await give(doing(office, "one more"), ["1", "2", "3"])
    assert await given(office) == ["1", "2", "3"]
    again = await give(doing(office, "give 1"), ["4"])
    assert again.number == "2", "a repeat keeps what it was given"


async def test_a_number_that_was_given_before_the_collection_was_sharded_is_not_given_again(office: Container) -> None:
    await give(doing(office, "before"), ["1"])
    office = await shard(office)
    assert (await give(doing(office, "after"), ["1", "2"])).number == "2"
    assert await given(office) == ["1", "2"]


async def test_a_use_case_that_does_not_pass_over_a_taken_value_is_a_bug_and_does_not_run_for_ever(
    office: Container,
) -> None:
    await insist(doing(office, "one"), "1")
    with pytest.raises(RuntimeError, match=r"insist does not pass over state\.number"):
        await insist(doing(office, "another"), "1")
    assert await given(office) == ["1"]


@pytest.mark.parametrize(("sharded", "finds"), [((), 0), (SHARDED, 1)])
async def test_only_in_a_sharded_collection_create_looks_before_it_inserts(
    office: Container, monkeypatch: pytest.MonkeyPatch, sharded: Collection[str], finds: int
) -> None:
    office, asked, find_one = replace(office, sharded=frozenset(sharded)), count(), office.mongo.find_one

    async def counted(*asking: Any) -> Any:
        next(asked)
        return await find_one(*asking)

    monkeypatch.setattr(office.mongo, "find_one", counted)
    await insist(doing(office, "one"), "1")
    assert next(asked) == finds


async def test_a_bulk_write_refuses_a_value_that_another_has_and_skips_an_id_that_is_there(office: Container) -> None:
    first, twin = ({"_id": id, "state": {"number": "1"}} for id in ("badge_a", "badge_b"))
    assert await office.mongo.bulk("badges", [New(first)]) == 1
    assert await office.mongo.bulk("badges", [New(first)]) == 0
    with pytest.raises(DatabaseRefused, match="11000"):
        await office.mongo.bulk("badges", [New(twin)])


async def test_an_index_over_values_that_are_there_twice_is_not_built_and_said_to_be(office: Container) -> None:
    await office.mongo.command("dropIndexes", "badges", index="state.number_1")
    await office.mongo.bulk("badges", [New({"_id": id, "state": {"number": "1"}}) for id in ("badge_a", "badge_b")])
    with pytest.raises(migrations.IndexDiffers, match=r"badges: two documents have the same state.number"):
        await migrations.build(office.mongo, (Badge,))
    assert await migrations.missing(office.mongo, (Badge,)) == ["badges(state.number) unique"]


async def test_an_index_that_is_unique_in_a_collection_that_is_sharded_is_said_to_be(office: Container) -> None:
    with pytest.raises(migrations.IndexDiffers, match=r"badges\(state.number\): it is there, but unique"):
        await migrations.build(office.mongo, (Badge,), SHARDED)


@pytest.mark.parametrize("index", [Index(("number", "id"), unique=True), Index(("number",), sparse=True, unique=True)])
def test_a_unique_index_has_one_field_which_every_entity_has(index: Index) -> None:
    with pytest.raises(TypeError, match="a unique index has one field"):
        type("Wrong", (Badge,), {"entity_type": "x", "__module__": __name__, "indexes": (index,)})
