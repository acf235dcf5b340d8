"""A reaction that fails again and again is turned off alone, and catches up from exactly there."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from services.chassis.messaging import control, switches, switching
from services.chassis.messaging.control import RUNNING, desired_state
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka import Incoming
from services.chassis.messaging.reactions import AnyReaction, reaction
from services.chassis.messaging.switches import OFF, ON, WAITING, Switch
from services.chassis.operations.backfill import NotNow
from services.chassis.telemetry import metrics
from services.chassis.usecase import Context
from tests.support import toy
from tests.support.reading import expect_right, settled
from tests.support.road import Road, running, until
from tests.support.switching import ALL, group, known, off, start, stop
from tests.support.toy import CoinDropped

PLACE = ("linli.toys.v1", 3)


async def test_a_reaction_that_fails_on_everything_is_off_alone_and_after_the_fix_catches_up_from_there(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [await road.jar(1, 2) for _ in range(3)]
    await road.publish()
    consumer = await road.consumer(most_failures=3)
    async with running(consumer):
        await settled(road, consumer)
        monkeypatch.setattr(toy.Poison, "coins", {13})
        sick = [await road.jar(13) for _ in range(8)]
        await road.publish()
        await off(road, "count-coins")
        await settled(road, consumer)  # the others go on
        assert [await road.notes(jar) for jar in sick] == [[13]] * 8
        assert consumer.stopped() is None
        assert consumer.ready()
        assert "failed on more than 3 events in a row" in consumer.off()["count-coins"]
        assert [metrics.reaction_on.labels(name)._value.get() for name in ("count-coins", "note-coins")] == [0, 1]
        switch, parked = (await known(road))["count-coins"], await road.parked()
        assert sum((switch.positions or {}).values()) >= 9  # not from the beginning
        assert 3 <= len(parked) < 8
        monkeypatch.setattr(toy.Poison, "coins", set())  # a better version is deployed
        for jar in before:
            await road.drop(jar, 3)
        await road.publish()
        await settled(road, consumer)
        assert [(await road.sum(jar)).total for jar in before] == [3] * 3
        assert 0 < await start(road, "count-coins") <= 8 * 2 + 3
        for jar in before:
            await road.drop(jar, 4)
        await road.publish()
        await settled(road, consumer)
        assert consumer.off() == {}
    await expect_right(road, *before)
    done = [jar for jar in sick if (await road.sum(jar)).total == 13]
    assert len(done) == 8 - len(parked)
    assert await road.parked() == parked


async def test_what_reads_a_copy_waits_while_that_is_off_and_starts_with_it(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    reactions: list[AnyReaction] = [ALL[0], toy.label_coins]

    async def labelled(jar: toy.Jar) -> list[int]:
        return await road.notes(toy.Jar.blank(f"plums {jar.id}"))

    first = await road.jar(1)
    await road.publish()
    consumer = await road.consumer(reactions=reactions)
    async with running(consumer):
        await settled(road, consumer)
        await stop(road, "copy-jar", consumer)
        late = await road.jar(2, 3)
        await road.drop(first, 4)
        await road.publish()
        await settled(road, consumer)
        assert {name: switch.state for name, switch in (await known(road)).items()} == {
            "copy-jar": OFF,
            "label-coins": WAITING,
        }
        assert consumer.off()["label-coins"] == "waiting: waits for copy-jar"
        assert await labelled(late) == []
        with pytest.raises(NotNow, match="reads what copy-jar copies"):
            await start(road, "label-coins", reactions)
        await start(road, "copy-jar", reactions)
        await road.drop(late, 5)
        await road.publish()
        await settled(road, consumer)
    assert await road.parked() == []  # nothing failed for want of a copy
    assert (await labelled(first), await labelled(late)) == ([1, 4], [2, 3, 5])


async def test_what_waits_and_fails_while_it_catches_up_is_off_and_the_copy_is_on(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    @reaction("never", CoinDropped, reads=(toy.JarCopy,))
    async def never(ctx: Context, delivered: Delivered, event: CoinDropped) -> None:
        raise ValueError

    reactions: list[AnyReaction] = [ALL[0], never]
    consumer = await road.consumer(reactions=reactions)
    async with running(consumer):
        await stop(road, "copy-jar", consumer)
        jars = [await road.jar(1) for _ in range(22)]
        await road.publish()
        await settled(road, consumer)
        await start(road, "copy-jar", reactions)
        await settled(road, consumer)
        assert {name: switch.state for name, switch in (await known(road)).items()} == {"copy-jar": ON, "never": OFF}
    copies = await road.hall.mongo.find("copies_jar", {"version": 2}, limit=99)
    assert {copy["_id"] for copy in copies} == {jar.id for jar in jars}


async def test_a_member_that_is_given_partitions_reads_the_switches_before_it_takes_anything(road: Road) -> None:
    jar = await road.jar(1)
    await road.publish()
    first = await road.consumer("hall-0")
    async with running(first):
        await settled(road, first)
        looked, ask = list[int](), first._control.ask

        async def counted() -> control.DesiredState:
            looked.append(first._reader.generation())
            return await ask()

        first._control.ask = counted  # type: ignore[method-assign]
        takes, take = list[int](), first._delivery.take

        async def noted(records: Sequence[Incoming]) -> None:
            takes.append(first._reader.generation())
            assert first._reader.generation() in looked
            await take(records)

        first._delivery.take = noted  # type: ignore[method-assign]
        second = await road.consumer("hall-1")
        async with running(second):
            for coins in range(2, 6):
                await road.drop(jar, coins)
                await road.publish()
            await until(lambda: _total(road, jar, 15))
    await expect_right(road, jar)


async def _total(road: Road, jar: toy.Jar, wanted: int) -> bool:
    return (await road.sum(jar)).total == wanted


def switch(name: str, state: str = ON, *reads: str, positions: switches.Offsets | None = None) -> Switch:
    """A switch as it might be stored."""
    return Switch(name, state, datetime(2026, 1, 1, tzinfo=UTC), reads=reads, positions=positions)


def test_off_is_written_with_what_is_confirmed_and_those_that_read_the_copy_wait_from_there() -> None:
    all_ = {s.name: s for s in (switch("copy-a"), switch("b", ON, "copy-a"), switch("c"))}
    changed = switches.off(all_, {"copy-a": "it fails"}, "worker", {PLACE: 7})
    assert {name: (one.state, one.positions) for name, one in changed.items()} == {
        "copy-a": (OFF, {PLACE: 7}),
        "b": (WAITING, {PLACE: 7}),
    }


def test_who_is_off_already_keeps_its_offsets_and_who_waits_too() -> None:
    all_ = {s.name: s for s in (switch("copy-a"), switch("copy-b"), switch("c", ON, "copy-a", "copy-b"))}
    all_ |= switches.off(all_, {"copy-a": "it fails"}, "worker", {PLACE: 7})
    all_ |= switches.off(all_, {"copy-b": "it fails too"}, "worker", {PLACE: 9})
    assert [all_[name].starts_at(PLACE) for name in ("copy-a", "copy-b", "c")] == [7, 9, 7]
    assert switches.off(all_, {"copy-a": "again"}, "worker", {PLACE: 11}) == {}
    assert switches.started_with("copy-a", all_) == ["copy-a"]  # c waits for the other one still
    all_["copy-b"] = all_["copy-b"].turned_on()
    assert switches.started_with("copy-a", all_) == ["copy-a", "c"]


def test_a_version_that_reads_one_copy_more_waits_until_that_is_kept() -> None:
    old = {s.name: s for s in (switch("copy-jar", OFF), switch("label-coins"))}
    changed = switches.met(old, [ALL[0], toy.label_coins], {PLACE: 5})
    assert (changed["label-coins"].state, changed["label-coins"].positions) == (WAITING, {PLACE: 5})


async def test_turning_on_is_refused_where_somebody_let_the_group_continue(road: Road) -> None:
    await switching.register(road.hall.mongo, group(road), ALL, {PLACE: 1})
    order = (await desired_state(road.hall.mongo, group(road))).order
    await control.pause(road.hall.mongo, group(road), "a look", "me")
    assert not await switching.turn_on(road.hall.mongo, group(road), ["note-coins"], order)
    await control.resume(road.hall.mongo, group(road), "me")
    desired = await desired_state(road.hall.mongo, group(road))
    assert (desired.state, desired.switches["note-coins"].state) == (RUNNING, OFF)


async def test_what_is_stored_comes_back_as_it_was(road: Road) -> None:
    await switching.register(road.hall.mongo, group(road), ALL, {})
    await switching.turn_off(road.hall.mongo, group(road), {"note-coins": "why"}, "who", {PLACE: 7})
    found = (await known(road))["note-coins"]
    assert (found.reason, found.by, found.positions, found.begins) == ("why", "who", {PLACE: 7}, {})
    await switching.advance(road.hall.mongo, group(road), "note-coins", PLACE, 9)
    await switching.advance(road.hall.mongo, group(road), "note-coins", PLACE, 8)
    assert (await known(road))["note-coins"].positions == {PLACE: 9}
