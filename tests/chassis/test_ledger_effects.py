"""The ledger and effects: a reaction that was skipped, a copy that is not its topic, a consumer that stands still."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from services.chassis.domain.checks import CheckResult
from services.chassis.usecase import Container
from tests.chassis.ledger_city import City
from tests.support import toy
from tests.support.toy import JarCopy, Note

Break = Callable[[City, str], Awaitable[None]]


async def forgotten(city: City, jar: str) -> None:
    await city.hall.mongo.update("seen", {"_id": f"count-coins|{jar}"}, {"$set": {"version": 2}})


async def damaged_copy(city: City, jar: str) -> None:
    await city.hall.mongo.update("copies_jar", {"_id": jar}, {"$set": {"state.total": 99}})


async def old_copy(city: City, jar: str) -> None:
    await city.hall.mongo.update("copies_jar", {"_id": jar}, {"$set": {"version": 2, "state.total": 1}})


async def copy_from_the_future(city: City, jar: str) -> None:
    await city.hall.mongo.update("copies_jar", {"_id": jar}, {"$set": {"version": 9}})


async def lost_copy(city: City, jar: str) -> None:
    await city.hall.mongo.delete("copies_jar", {"_id": jar})


async def invented_copy(city: City, jar: str) -> None:
    known = await city.hall.mongo.find_one("copies_jar", {"_id": jar})
    assert known
    await city.hall.mongo.insert("copies_jar", {**known, "_id": "jar_invented"})


@pytest.mark.parametrize(
    ("breaking", "about"),
    [
        (forgotten, "count-coins"),
        (damaged_copy, "copy-jar"),
        (old_copy, "copy-jar"),
        (copy_from_the_future, "copy-jar"),
        (lost_copy, "copy-jar"),
        (invented_copy, "copy-jar"),
    ],
)
async def test_what_is_broken_in_the_hall_is_caught_by_the_line_of_its_reaction(
    city: City, breaking: Break, about: str
) -> None:
    jar = await city.jar(1, 2)
    await city.settle()
    await breaking(city, jar)
    assert await city.breaches() == {("requests", "L7", about)}


async def test_a_consumer_that_does_not_read_is_late_and_unread_records_are_not_missed(city: City) -> None:
    jar = await city.jar(1)
    await city.settle()
    await city.drop(jar, 2)
    await city.publish()
    assert await city.breaches(within=0.5) == {("requests", "L9", city.group)}


async def one_note_for_each_drop(container: Container) -> list[CheckResult]:
    """The check that the hall itself brings: what is in the copies has been noted."""
    line = CheckResult("L8", "notes")
    async for copies in container.mongo.each(JarCopy.collection(), {}):
        for copy in copies:
            notes = await container.mongo.find(Note.collection(), {"state.about": copy["_id"]}, limit=1000)
            line.count("notes", len(notes))
            if sum(note["state"]["coins"] for note in notes) != copy["state"]["total"]:
                line.breach(f"{copy['_id']} has {len(notes)} notes")
    return [line]


async def test_a_memory_that_ran_ahead_of_its_effect_is_caught_by_the_check_of_the_service(city: City) -> None:
    checked = replace(toy.hall, checks=(one_note_for_each_drop,))
    jar = await city.jar(1)
    await city.settle()
    assert await city.breaches(checked) == set()
    await city.hall.mongo.update("seen", {"_id": f"note-coins|{jar}"}, {"$set": {"version": 3}})
    await city.drop(jar, 2)
    await city.settle()
    assert await city.breaches(checked) == {("requests", "L8", "notes")}
