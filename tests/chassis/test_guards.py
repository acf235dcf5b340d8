"""Guards: a use case that changes something states one, and it runs at its place in the order of answers."""

import inspect
from dataclasses import replace
from typing import Any

import pytest

from services.chassis.domain.refusals import Forbidden, NotFound, OutsideYourPlaces, PersonNeeded, Stale
from services.chassis.guards import changes, own_places, visible
from services.chassis.usecase import Container, Context, usecase
from tests.support import toy
from tests.support.toy import CoinDropped, DropCoin, Jar, JarOpened, OpenJar


async def _closed(_: Context, __: Jar, ___: Any) -> None:
    raise Forbidden(roles="nobody")


@usecase(allow="keeper")
async def unguarded(ctx: Context) -> Jar:
    """Open a jar without a guard."""
    async with ctx.store.create(Jar) as jar:
        jar.record(JarOpened(label="a", keeper="keeper"))
    return jar


@changes(Jar, allow="keeper", within=_closed)
async def barred(ctx: Context, jar: Jar) -> None:
    """Do what nobody may."""
    raise ZeroDivisionError("a rule came before the guard")


@changes(Jar, allow="keeper", within=own_places)
async def drop_here(ctx: Context, jar: Jar, cmd: DropCoin) -> None:
    """Drop coins into a jar of one's own places."""
    jar.record(CoinDropped(coins=cmd.coins))


async def a_jar(shop: Container) -> Jar:
    return await toy.open_jar(shop.context(toy.KEEPER, "opening"), OpenJar(label="plums"))


async def test_a_use_case_that_states_no_guard_cannot_write(shop: Container) -> None:
    with pytest.raises(RuntimeError, match="within="):
        await unguarded(shop.context(toy.KEEPER, "c"))
    with pytest.raises(RuntimeError, match="within="):  # nor does what is no use case at all
        async with shop.context(toy.KEEPER, "c").store.create(Jar):
            pass


def test_a_change_that_is_not_for_the_system_alone_cannot_be_made_without_within() -> None:
    with pytest.raises(ValueError, match="within"):
        changes(Jar, allow="keeper")
    with pytest.raises(ValueError, match="within"):
        changes(Jar, allow=("keeper", "system"))


@pytest.mark.parametrize("allow", ["system", ("system",)])
def test_a_change_that_is_for_the_system_alone_needs_no_within(allow: str | tuple[str, ...]) -> None:
    changes(Jar, allow=allow)


async def test_the_guard_comes_after_what_is_not_seen_and_what_is_stale_and_before_the_rules(shop: Container) -> None:
    jar = await a_jar(shop)
    with pytest.raises(NotFound):
        await barred(shop.context(toy.OTHER, "a"), jar.id)
    with pytest.raises(Stale):
        await barred(shop.context(toy.KEEPER, "b", if_match=frozenset({7})), jar.id)
    with pytest.raises(Forbidden):
        await barred(shop.context(toy.KEEPER, "c"), jar.id)


async def test_a_repeat_is_answered_before_the_guard(shop: Container) -> None:
    jar = await a_jar(shop)
    done = await drop_here(shop.context(toy.KEEPER, "drop"), jar.id, DropCoin())
    moved = replace(toy.KEEPER, places=("1509",))
    assert (await drop_here(shop.context(moved, "drop"), jar.id, DropCoin())).version == done.version
    with pytest.raises(OutsideYourPlaces):
        await drop_here(shop.context(moved, "again"), jar.id, DropCoin())


async def test_who_acts_without_a_person_is_refused_where_one_is_needed(shop: Container) -> None:
    with pytest.raises(PersonNeeded):
        _ = shop.context(toy.KEEPER, "c").person
    assert shop.context(replace(toy.KEEPER, person="person_ann"), "c").person == "person_ann"


def test_a_change_is_called_with_the_id_of_what_it_changes() -> None:
    signature = inspect.signature(drop_here)
    assert [*signature.parameters] == ["ctx", "jar_id", "cmd"]
    assert signature.return_annotation is Jar
    named = changes(Jar, by="code", allow="keeper", within=visible)(_nothing)
    assert [*inspect.signature(named).parameters] == ["ctx", "code"]


async def _nothing(ctx: Context, jar: Jar) -> None:
    """Do nothing."""
