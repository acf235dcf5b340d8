"""`linli consumer` and `linli reactions`: what operators type, and what the ledger says of it afterwards."""

import pytest

from deploy.cli.groups import Group
from services.chassis.domain.checks import TopicPartition
from services.chassis.messaging import control, switching
from tests.chassis.ledger_city import City
from tests.support import toy
from tests.support.operating import Operator
from tests.support.road import until


async def test_a_consumer_is_paused_reset_and_resumed_and_nothing_is_lost_or_doubled(
    city: City, linli: Operator
) -> None:
    await city.jar(1, 2)
    await city.settle()
    async with city.consuming():
        assert (await linli("consumer", "reset", "requests", "--to", "earliest", "--yes")).code == 2
        paused = await linli.json("consumer", "pause", "requests", "--reason", "a look")
        assert paused == {"service": "requests", "state": "paused", "waiting": []}
        result = await linli.json("consumer", "list")
        shown = {one["service"]: (one["state"], one["reason"]) for one in result["consumers"]}
        assert shown == {"requests": ("paused", "a look"), "notify": ("running", "")}
        await city.jar(5)
        await city.publish()
        dry = await linli.json("consumer", "reset", "requests", "--to", "earliest")
        assert (dry["dry_run"], dry["read_again"], dry["left_out"]) == (True, 3, 0)
        done = await linli.json("consumer", "reset", "requests", "--to", "earliest", "--yes")
        assert (done["dry_run"], done["waiting"]) == (False, [])
        assert (await linli.json("consumer", "resume", "requests"))["state"] == "running"
        await city.caught_up()
    await city.publish()
    assert await city.breaches() == set()


async def test_what_a_reset_leaves_out_is_shown_first_and_named_by_the_ledger(city: City, linli: Operator) -> None:
    await city.jar(1)
    await city.settle()
    async with city.consuming():
        await linli.json("consumer", "pause", "requests", "--reason", "a look")
        await city.jar(2, 3)
        await city.publish()
        dry = await linli.json("consumer", "reset", "requests", "--to", "latest")
        assert (dry["read_again"], dry["left_out"]) == (0, 3)
        assert (await linli("consumer", "reset", "requests", "--to", "soon")).code == 2
        await linli.json("consumer", "reset", "requests", "--to", "latest", "--yes")
        await linli.json("consumer", "resume", "requests")
        await city.caught_up()
    await city.publish()
    assert ("requests", "L7", "count-coins") in await city.breaches()


async def test_a_reaction_that_begins_now_owes_nothing_of_the_past(city: City, linli: Operator) -> None:
    await city.jar(1)
    await city.settle()
    assert (await linli("reactions", "stop", "note-coins", "--reason", "to begin with", "--yes")).code == 0
    await city.jar(2)
    await city.settle()
    dry = await linli.json("reactions", "start", "note-coins", "--from-now")
    assert (dry["dry_run"], dry["records_left_out"]) == (True, 2)
    listed = {one["name"]: one for one in (await linli.json("reactions", "list"))["reactions"]}
    assert (listed["note-coins"]["state"], listed["note-coins"]["behind"]) == ("off", 2)
    async with city.consuming():
        assert not (await linli.json("reactions", "start", "note-coins", "--from-now", "--yes"))["dry_run"]
        await city.jar(3)
        await city.publish()
        await city.caught_up()
    await city.publish()
    assert await city.breaches() == set()
    notes = await city.hall.mongo.find("notes", {}, limit=9)
    assert sorted(note["state"]["coins"] for note in notes) == [1, 3]


async def test_a_reaction_is_turned_off_with_a_reason_while_its_consumer_runs(city: City, linli: Operator) -> None:
    await city.jar(1)
    await city.settle()
    async with city.consuming():
        assert (await linli("reactions", "stop", "note-coins", "--reason", "wrong texts", "--yes")).code == 0
        await linli.json("consumer", "pause", "requests", "--reason", "so that it has heard of it")
        await linli.json("consumer", "resume", "requests")
        await city.jar(2)
        await city.publish()
        await city.caught_up()
    listed = {one["name"]: one for one in (await linli.json("reactions", "list"))["reactions"]}
    assert (listed["note-coins"]["on"], listed["note-coins"]["reason"].startswith("wrong texts")) == (False, True)
    assert [note["state"]["coins"] for note in await city.hall.mongo.find("notes", {}, limit=9)] == [1]


async def test_a_consumer_that_has_confirmed_nothing_is_behind_and_can_be_reset(city: City, linli: Operator) -> None:
    await control.pause(city.hall.mongo, city.group, "before it begins", "somebody")
    await city.jar(1, 2)
    await city.publish()
    unknown = {one["service"]: one["behind"] for one in (await linli.json("consumer", "list"))["consumers"]}
    assert unknown == {"requests": None, "notify": None}
    assert "start the workers" in (await linli("consumer", "reset", "requests", "--to", "latest")).text
    async with city.consuming():

        async def begun() -> bool:
            return bool((await control.desired_state(city.hall.mongo, city.group)).topics)

        await until(begun)
        known = {one["service"]: one["behind"] for one in (await linli.json("consumer", "list"))["consumers"]}
        assert known["requests"] == 3
        dry = await linli.json("consumer", "reset", "requests", "--to", "latest")
    assert (dry["read_again"], dry["left_out"]) == (0, 3)


async def test_a_reset_of_a_consumer_that_was_resumed_meanwhile_is_refused(
    city: City, linli: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    await city.jar(1)
    await city.settle()
    await linli.json("consumer", "pause", "requests", "--reason", "a look")
    committed = Group.committed

    async def resumed_meanwhile(group: Group) -> dict[TopicPartition, int]:
        await control.resume(group.mongo, group.name, "somebody")
        return await committed(group)

    monkeypatch.setattr(Group, "committed", resumed_meanwhile)
    said = await linli("consumer", "reset", "requests", "--to", "earliest", "--yes", "--within", "0")
    assert (said.code, "somebody resumed requests" in said.text) == (2, True)


async def test_wrong_words_are_reported(city: City, linli: Operator) -> None:
    await switching.register(city.hall.mongo, city.group, toy.hall.all_reactions, {})
    for words in (
        ("consumer", "pause", "members", "--reason", "it has none"),
        ("consumer", "resume", "requests"),
        ("reactions", "start", "no-such"),
        ("reactions", "start", "note-coins"),
    ):
        assert (await linli(*words)).code == 2
