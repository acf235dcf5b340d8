"""`linli parked`: what was set aside is listed, shown, and tried again in order."""

import orjson
import pytest

from services.chassis.domain.refusals import Stale
from tests.chassis.ledger_city import City
from tests.support import toy
from tests.support.operating import Operator
from tests.support.toy import Poison

pytestmark = pytest.mark.usefixtures("poison")


async def test_what_is_parked_is_listed_and_shown(city: City, parked: Operator) -> None:
    jar = await city.jar(1, 13, 2)
    await city.settle()
    listed = await parked.json("list", "--reaction", "count-coins")
    assert listed["by_reaction"] == {"requests count-coins": 2}
    assert [event["id"] for event in listed["events"]] == [f"count-coins|{jar}:3", f"count-coins|{jar}:4"]
    one = await parked.json("show", f"count-coins|{jar}:3")
    assert one["value"] == {"coins": 13}
    assert one["reason"] == "ValueError"
    assert one["headers"]["ce_type"] == "linli.support.CoinDropped"


async def test_a_refusal_is_shown_with_its_sentence_beside_its_code(
    city: City, parked: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> None:
        raise Stale(given=1, current=2)

    monkeypatch.setattr(toy, "add_up", refused)
    jar = await city.jar(5)
    await city.settle()
    one = await parked.json("show", f"count-coins|{jar}:2")
    assert one["reason"] == "Stale: stale (given=1, current=2)"
    sentence = "You saw version {given}; it is at {current} now. Read it again, then repeat."
    assert one["explained"] == f"{one['reason']} — {sentence}"
    assert "You saw version" in " ".join((await parked("list")).text.split())


async def test_an_event_that_is_not_parked_is_a_trouble(city: City, parked: Operator) -> None:
    said = await parked("show", "count-coins|jar_none:1")
    assert (said.code, said.text) == (2, "No event 'count-coins|jar_none:1' is parked: see `linli parked list`.")
    assert (await parked("replay")).code == 2
    assert (await parked("list", "--service", "portal")).code == 2


async def test_more_than_one_is_only_replayed_when_the_operator_says_yes(city: City, parked: Operator) -> None:
    jar = await city.jar(1, 13, 2)
    await city.settle()
    shown = await parked.json("replay", f"count-coins|{jar}:3")
    assert shown == {"dry_run": True, "would_replay": 2, "by_reaction": {"requests count-coins": 2}}
    assert await city.hall.mongo.count("parked", {"replay": True}, 10) == 0


async def test_what_was_repaired_is_replayed_in_order_and_the_ledger_stays_clean(city: City, parked: Operator) -> None:
    jar, other = await city.jar(1, 13, 2, 3), await city.jar(13)
    await city.settle()
    Poison.coins.clear()
    async with city.consuming():
        said = await parked.in_a_process("replay", f"count-coins|{jar}:3", "--yes")
    assert (said.code, said.text) == (0, "parked before 3, after 0\n")
    total = await toy.sum_of(city.hall.system_context("test", "read"), jar)
    assert total.order == [0, 1, 13, 2, 3]
    left = await parked.json("list")
    assert [event["entity"] for event in left["events"]] == [other]
    await city.publish()
    assert await city.breaches() == set()


async def test_what_fails_again_stays_parked(city: City, parked: Operator) -> None:
    await city.jar(13, 2)
    await city.settle()
    async with city.consuming():
        said = await parked.in_a_process("replay", "--all", "--yes", "--json")
    counts = orjson.loads(said.text)
    assert (said.code, counts["after"], counts["not_tried_yet"]) == (1, 2, 0)


async def test_without_a_worker_it_is_only_marked(city: City, parked: Operator) -> None:
    await city.jar(13, 2)
    await city.settle()
    said = await parked("replay", "--reaction", "count-coins", "--yes", "--within", "0.5")
    assert said.code == 1
    assert "2 not tried yet" in said.text
    assert await city.hall.mongo.count("parked", {"replay": True}, 10) == 2
