"""The ledger while a reaction is off, and while another one waits for it: known, no breach, and clean after the fix."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from services.chassis.messaging.consumer import Consumer
from services.chassis.operations.answering import quietly
from services.chassis.operations.backfill import backfill
from services.chassis.operations.protocol import BackfillRequest
from tests.chassis.ledger_city import City, counts
from tests.support import toy
from tests.support.road import until
from tests.support.toy import JarCopy

HALL = replace(toy.hall, reactions=(*toy.hall.reactions, toy.label_coins))
SICK = 13


class Fold:
    """How copies of jars take events: it fails on some coins until it is mended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._apply, self.mended = JarCopy.apply, False
        monkeypatch.setattr(JarCopy, "apply", lambda copy, event: self._take(copy, event))

    def _take(self, copy: JarCopy, event: Any) -> None:
        if getattr(event, "coins", 0) == SICK and not self.mended:
            raise ValueError
        self._apply(copy, event)


@asynccontextmanager
async def half_on(city: City, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Consumer, Fold]]:
    """The copy is off because it fails, what reads it waits, another reaction is off, and much has come since."""
    fold = Fold(monkeypatch)
    monkeypatch.setattr(toy.Poison, "coins", {SICK})
    async with city.consuming(HALL, most_failures=2) as consumer:
        jars = [await city.jar(1, 2) for _ in range(3)]
        await city.publish()
        await city.caught_up()
        for _ in range(5):
            await city.jar(SICK)
        await city.publish()
        await city.caught_up()
        for jar in (*jars, await city.jar(4)):
            await city.drop(jar, 5)
        await city.publish()
        await city.caught_up()
        await city.publish()
        yield consumer, fold


async def mend(city: City, fold: Fold) -> None:
    """What is done after the fix: both are started, what is parked is replayed."""
    fold.mended = True
    toy.Poison.coins = set()
    for name in ("copy-jar", "count-coins"):
        done = await backfill(HALL, city.world.settings(), BackfillRequest(reaction=name, write=True), quietly)
        assert not done.document()["dry_run"]
    while await city.hall.mongo.update("parked", {"replay": {"$exists": False}}, {"$set": {"replay": True}}):
        continue

    async def drained() -> bool:
        return not await city.hall.mongo.count("parked", {}, limit=1)

    await until(drained)
    await city.publish()


async def test_what_is_off_and_what_waits_for_it_is_known_to_the_ledger_and_after_the_fix_it_is_clean(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with half_on(city, monkeypatch) as (consumer, fold):
        assert {name: why.partition(":")[0] for name, why in consumer.off().items()} == {
            "copy-jar": "off",
            "count-coins": "off",
            "label-coins": "waiting",
        }
        report = await city.verify(HALL)
        assert report.clean, report.document()
        said = counts(report, "L9", "reactions")
        read = counts(report, "L7", "records")["records"]
        assert said["on"] == 1
        for name, state in {"copy-jar": "off", "count-coins": "off", "label-coins": "waiting"}.items():
            position = said[f"is the position since which {name} is {state}"]
            assert 9 <= position == read - said[f"records that {name} waits with"] < read
        await mend(city, fold)
        report = await city.verify(HALL)
        assert report.clean, report.document()
        assert counts(report, "L9", "reactions") == {"on": 4}
        assert counts(report, "L7", "copy-jar").get("parked", 0) == 0
    assert consumer.off() == {}


async def test_what_a_reaction_had_taken_before_it_was_off_is_missed_all_the_same(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with half_on(city, monkeypatch):
        copies = await city.hall.mongo.find("copies_jar", {"version": 3}, sort=[("_id", 1)], limit=1)
        await city.hall.mongo.delete("copies_jar", {"_id": copies[0]["_id"]})
        lost = f"label-coins|{copies[0]['_id']}"
        assert await city.hall.mongo.delete("seen", {"_id": lost}) == 1
        found = {(line.check, line.about) for line in (await city.verify(HALL)).lines if line.breaches}
        assert found == {("L7", "copy-jar"), ("L7", "label-coins")}
