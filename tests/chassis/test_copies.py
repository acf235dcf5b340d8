"""Copies: what another service told, at its version, whatever it says."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.messaging import effects
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka.records import incoming
from services.chassis.messaging.reactions import Copying, Create, Effect, Keep, handler, reaction
from services.chassis.storage import copy_reads
from services.chassis.storage.batch_loader import by_ids
from services.chassis.storage.mongo import Document
from services.chassis.usecase import Context
from tests.support import toy
from tests.support.calls import queries
from tests.support.reading import consume, expect_right, headers
from tests.support.road import Road
from tests.support.toy import CoinDropped, JarCopy, Note, NoteWritten


async def test_an_older_event_never_undoes_a_copy_nor_a_newer_process_its_fields(road: Road) -> None:
    jar = await road.jar(1, 2)
    await road.publish()
    await consume(road)
    await road.hall.mongo.update("copies_jar", {"_id": jar.id}, {"$set": {"state.colour": "red"}})
    await road.put(jar.id, b'{"label":"old","keeper":"x"}', headers(jar, 1, "linli.support.JarOpened"))
    await road.drop(jar, 4)
    await road.publish()
    await consume(road)
    copy = await road.hall.mongo.find_one("copies_jar", {"_id": jar.id})
    assert copy is not None
    assert (copy["state"]["label"], copy["state"]["total"], copy["state"]["colour"]) == ("plums", 7, "red")


async def test_a_first_event_that_comes_again_alone_changes_nothing(road: Road) -> None:
    jar = await road.jar(1, 2)
    await road.publish()
    await consume(road)
    before = await road.hall.mongo.find_one("copies_jar", {"_id": jar.id})
    await road.put(jar.id, b'{"label":"old","keeper":"x"}', headers(jar, 1, "linli.support.JarOpened"))
    await consume(road)
    assert before is not None
    assert await road.hall.mongo.find_one("copies_jar", {"_id": jar.id}) == before
    await expect_right(road, jar)


async def test_texts_that_look_like_operators_are_copied_as_texts(road: Road) -> None:
    jar = await toy.open_jar(road.doing(), toy.OpenJar(label="$v $$ROOT {$ne: 1}"))
    await road.drop(jar, 1)
    await road.publish()
    await consume(road)
    copy = await road.hall.mongo.find_one("copies_jar", {"_id": jar.id})
    assert copy is not None
    assert copy["state"]["label"] == "$v $$ROOT {$ne: 1}"


async def test_an_event_on_which_a_copy_fails_is_parked_and_the_copy_is_as_it_was(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = toy.JarCopy.apply

    def fail_halfway(self: toy.JarCopy, event: Any) -> None:
        apply(self, event)
        if getattr(event, "coins", 0) == 13:
            raise ZeroDivisionError

    monkeypatch.setattr(toy.JarCopy, "apply", fail_halfway)
    jar = await road.jar(1, 13, 2)
    await road.publish()
    await consume(road, reactions=[Copying(toy.JarCopy)])
    assert [event for _, event, _ in await road.parked()] == [f"{jar.id}:3", f"{jar.id}:4"]
    copy = await road.hall.mongo.find_one("copies_jar", {"_id": jar.id})
    assert copy is not None
    assert (copy["version"], copy["state"]["total"]) == (2, 1)


def looks_among(asked: Sequence[tuple[str, Document]]) -> int:
    """How many of these queries are for copies."""
    return [name for name, _ in asked].count("copies_jar")


@reaction("total-coins", CoinDropped, reads=(JarCopy,))
async def total_coins(ctx: Context, delivered: Delivered, _: CoinDropped) -> Sequence[Effect]:
    """Note what is in the jar, by its copy."""
    (jar,) = (await by_ids(ctx.container.mongo, JarCopy, {delivered.entity})).values()
    return [Create.of(Note, ctx, "total", NoteWritten(about=jar.id, coins=jar.total))]


async def test_a_copy_that_was_written_in_a_batch_is_not_read_again_for_the_reactions_to_it(road: Road) -> None:
    jar = await road.jar(1, 2)
    await road.publish()
    asked = queries(road.hall.mongo)
    await consume(road, reactions=(Copying(JarCopy), total_coins))
    assert set(await road.notes(jar)) <= {1, 3}
    assert 3 in await road.notes(jar)
    assert looks_among(asked) <= 1  # where its events came in two batches
    await road.drop(jar, 4)
    await road.publish()
    asked.clear()
    await consume(road, reactions=(Copying(JarCopy), total_coins))
    assert looks_among(asked) == 1  # by the copy itself
    assert 7 in await road.notes(jar)


async def test_where_a_newer_copy_is_stored_the_batch_that_came_again_reads_it(road: Road) -> None:
    jar = await road.jar(1, 2)
    await road.publish()
    first = next(one for r in await road.records() if (one := Delivered.of(incoming(r))).version == 1)
    copying, known = Copying(JarCopy), list[dict[str, int]]()
    for stored in (None, 3):
        if stored:
            await road.hall.mongo.update("copies_jar", {"_id": jar.id}, {"$set": {"version": stored}})
        with copy_reads.shared():
            handled = await handler(copying, road.hall, [first])
            await effects.write(road.hall, copying, [(first, await handled(first))])
            known.append({id: copy["version"] for id, copy in copy_reads.written("copies_jar").items()})
    assert known == [{jar.id: 1}, {}]


@given(st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_topic_that_is_read_again_from_anywhere_leaves_the_copy_as_it_is(
    road: Road, versions: list[int]
) -> None:
    """Two relays may have sent everything twice: 1, 2, 3, 1, 2, 3; and a batch may begin with any of them."""
    by_version = {(one := Delivered.of(incoming(record))).version: one for record in await records_of_a_jar(road)}
    copying, again = Copying(JarCopy), [by_version[version] for version in versions]
    with copy_reads.shared():
        handled = await handler(copying, road.hall, again)
        await effects.write(road.hall, copying, [(one, await handled(one)) for one in again])
    copy = await road.hall.mongo.find_one("copies_jar", {"_id": again[0].entity})
    assert copy is not None
    assert (copy["version"], copy["state"]["total"]) == (3, 3)


async def records_of_a_jar(road: Road) -> Sequence[Any]:
    """Those of one jar into which one coin and two coins fell, and which the hall has taken; made once."""
    if not (found := await road.records()):
        await road.jar(1, 2)
        await road.publish()
        await consume(road, reactions=[Copying(JarCopy)])
        found = await road.records()
    return found


@pytest.mark.parametrize(
    ("versions", "looks"),
    [((1, 2, 3), 0), ((1, 1, 2), 0), ((1, 2, 3, 2, 1), 0), ((1, 3), 1), ((2, 3), 1), ((3, 1, 2, 3), 1)],
)
async def test_a_copy_is_looked_up_only_where_an_event_of_it_may_be_missing(
    road: Road, versions: Sequence[int], looks: int
) -> None:
    jar = await road.jar(1, 2)
    await road.publish()
    by_version = {(one := Delivered.of(incoming(record))).version: one for record in await road.records()}
    asked = queries(road.hall.mongo)
    handled = await handler(Copying(JarCopy), road.hall, [by_version[version] for version in versions])
    assert looks_among(asked) == looks
    if versions == (1, 2, 3):
        kept = [effect for version in versions for effect in await handled(by_version[version])]
        assert [(one.document["version"], one.document["state"]["total"]) for one in kept if isinstance(one, Keep)] == [
            (1, 0), (2, 1), (3, 3)
        ]  # fmt: skip
    assert jar.id == by_version[1].entity
