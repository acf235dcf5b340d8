"""The ledger and parked events: they and those behind them are counted, and missed when they vanish."""

import pytest

from tests.chassis.ledger_city import City, counts, headers
from tests.support import toy
from tests.support.toy import CoinDropped

pytestmark = pytest.mark.usefixtures("poison")
POISON = 13


async def test_parked_events_and_those_behind_them_are_no_breach(city: City) -> None:
    await city.jar(1, POISON, 2)
    await city.settle()
    report = await city.verify(toy.hall)
    assert report.clean
    assert counts(report, "L7", "count-coins") == {"not wanted": 0, "done": 2, "parked": 2}
    assert counts(report, "L7", "note-coins") == {"not wanted": 1, "done": 3}


async def test_a_parked_event_that_vanishes_is_missed(city: City) -> None:
    jar = await city.jar(1, POISON, 2)
    await city.settle()
    await city.hall.mongo.delete("parked", {"_id": f"count-coins|{jar}:4"})
    assert await city.breaches() == {("requests", "L7", "count-coins")}


async def test_a_parked_event_that_was_overtaken_is_caught(city: City) -> None:
    jar = await city.jar(1, POISON, 2)
    await city.settle()
    await city.hall.mongo.delete("parked", {"_id": f"count-coins|{jar}:4"})
    await city.hall.mongo.update("seen", {"_id": f"count-coins|{jar}"}, {"$set": {"version": 4}})
    assert await city.breaches() == {("requests", "L7", "count-coins")}


async def test_a_copy_waits_at_its_parked_event(city: City) -> None:
    jar = await city.garbled()
    report = await city.verify(toy.hall)
    assert report.clean
    assert counts(report, "L7", "copy-jar")["parked"] == 2
    await city.hall.mongo.update("copies_jar", {"_id": jar}, {"$set": {"version": 4, "state.total": 3}})
    assert await city.breaches(toy.hall) == {("requests", "L7", "copy-jar")}


async def test_a_copy_whose_parked_event_vanishes_is_behind(city: City) -> None:
    await city.jar(1)
    await city.settle()
    await city.send("jar_unknown", b'{"coins":1}', headers("jar_unknown:1", CoinDropped.type_name()))
    await city.settle()
    assert (await city.verify(toy.hall)).clean is True
    await city.hall.mongo.delete("parked", {"_id": "copy-jar|jar_unknown:1"})
    assert await city.breaches(toy.hall) == {("requests", "L7", "copy-jar")}


async def test_a_record_that_cannot_be_read_must_be_parked(city: City) -> None:
    await city.send("anything", b"{}", {})
    await city.settle()
    report = await city.verify(toy.hall)
    assert report.clean
    assert counts(report, "L7", "records")["unreadable, parked"] == 1
    parked = await city.hall.mongo.find("parked", {}, limit=1)
    await city.hall.mongo.delete("parked", {"_id": parked[0]["_id"]})
    assert await city.breaches(toy.hall) == {("requests", "L7", "records")}
