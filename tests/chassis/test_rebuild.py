"""States made again from their histories: what was damaged or folded otherwise is mended, what is broken never."""

from typing import Any

import pytest

from services.chassis.operations.answering import quietly
from services.chassis.operations.ledger.rebuild import COLLECTION, Answer, rebuild
from services.chassis.operations.protocol import RebuildRequest
from services.chassis.storage.mongo import Document, Mongo
from tests.chassis.ledger_city import City, examples
from tests.support import toy
from tests.support.toy import Jar


async def rebuilt(city: City, **wanted: Any) -> Answer:
    return await rebuild(toy.shop, city.world.settings(), RebuildRequest(**{"kind": "jar", **wanted}), quietly)


async def kept(city: City, jar: str) -> Document:
    found = await city.shop.mongo.find_one("jars", {"_id": jar})
    assert found is not None
    return found


async def test_a_state_damaged_by_hand_is_named_by_verify_and_repaired_by_rebuild(city: City) -> None:
    jar, other = await city.jar(*range(1, 10)), await city.jar(1)  # the first is trimmed
    await city.settle()
    before = await kept(city, jar)
    await city.damage(Jar, jar, {"$set": {"state.total": 99, "state.colour": "red", "under": ["1508"]}})
    assert examples(await city.verify(toy.shop), "L4") == [f"{jar}: differs in total, under"]
    shown = await rebuilt(city)
    assert (shown.found.looked_at, shown.found.differing, shown.found.mended) == (2, 1, 0)
    assert shown.found.ids == [f"{jar}: differs in total, under"]
    assert (await kept(city, jar))["state"]["total"] == 99
    mended = await rebuilt(city, write=True)
    assert (mended.found.differing, mended.found.mended, mended.clean) == (1, 1, True)
    after = await kept(city, jar)
    assert after["state"].pop("colour") == "red", "what a newer process keeps is none of ours"
    assert after == before, "no event, no version, nothing to publish"
    assert (await city.verify(toy.shop)).clean
    assert (await rebuilt(city)).found.differing == 0
    assert (await kept(city, other))["version"] == 2


async def test_a_state_that_cannot_even_be_loaded_is_repaired(city: City) -> None:
    jar, gone = await city.jar(1), await city.jar(2)
    await city.damage(Jar, jar, {"$set": {"state.total": "many"}})
    await city.damage(Jar, gone, {"$set": {"state": None}})
    assert (await rebuilt(city, write=True)).found.mended == 2
    assert [(await kept(city, id))["state"]["total"] for id in (jar, gone)] == [1, 2]


async def test_a_history_that_was_changed_is_never_folded_over_a_state(city: City) -> None:
    jar, whole = await city.jar(1, 2), await city.jar(1)
    for id in (jar, whole):
        await city.damage(Jar, id, {"$set": {"state.total": 50}})
    await city.damage(Jar, jar, {"$set": {"history.1.data.coins": 7}})
    answer = await rebuilt(city, write=True)
    assert (answer.found.mended, answer.found.broken, answer.clean) == (1, 1, False)
    assert answer.found.broken_ids == [f"{jar}: the chain breaks at version 2"]
    assert [(await kept(city, id))["state"]["total"] for id in (jar, whole)] == [50, 1]


async def test_a_history_of_a_shape_that_is_not_known_here_is_left_to_a_newer_version(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy.CoinDropped, "schema_version", 2)
    jar = await city.jar(1)
    monkeypatch.undo()
    await city.damage(Jar, jar, {"$set": {"state.total": 50}})
    answer = await rebuilt(city, write=True)
    assert answer.found.broken_ids == [f"{jar}: the history cannot be folded: SchemaTooNew"]
    assert (await kept(city, jar))["state"]["total"] == 50


async def test_who_writes_first_wins_and_is_judged_again(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = await city.jar(1)
    await city.damage(Jar, jar, {"$set": {"state.total": 50}})
    update, beaten = Mongo.update, list[int]()

    async def beaten_once(mongo: Mongo, name: str, where: Document, change: Any, **more: Any) -> int:
        if name == "jars" and mongo is not city.shop.mongo and not beaten:
            beaten.append(where["version"])
            await city.drop(jar, 7)  # on the damaged total
        return await update(mongo, name, where, change, **more)

    monkeypatch.setattr(Mongo, "update", beaten_once)
    assert (await rebuilt(city, write=True)).found.mended == 1
    document = await kept(city, jar)
    assert (beaten, document["version"], document["state"]["total"]) == ([2], 3, 1 + 7)


async def test_only_one_is_made_again_where_one_is_named(city: City) -> None:
    jars = [await city.jar(1), await city.jar(1)]
    for jar in jars:
        await city.damage(Jar, jar, {"$set": {"state.total": 50}})
    answer = await rebuilt(city, id=jars[0], write=True)
    assert (answer.found.looked_at, answer.found.mended) == (1, 1)
    assert [(await kept(city, jar))["state"]["total"] for jar in jars] == [1, 50]


class Killed(BaseException):
    """What a process that is killed would not get over."""


async def test_an_interrupted_run_is_gone_on_with(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.operations.ledger.rebuild._BATCH", 2)
    jars = sorted([await city.jar(1) for _ in range(5)])
    for jar in jars:
        await city.damage(Jar, jar, {"$set": {"state.total": 50}})
    update = Mongo.update

    async def killed_at_the_fourth(mongo: Mongo, name: str, where: Document, change: Any, **more: Any) -> int:
        if where["_id"] == jars[3]:
            raise Killed
        return await update(mongo, name, where, change, **more)

    monkeypatch.setattr(Mongo, "update", killed_at_the_fourth)
    with pytest.raises(Killed):
        await rebuilt(city, write=True)
    monkeypatch.setattr(Mongo, "update", update)
    await city.damage(Jar, jars[0], {"$set": {"state.total": 60}})
    assert (await rebuilt(city)).found.looked_at == 5, "who only looks looks at all"
    rest = await rebuilt(city, write=True)
    assert rest.resumed_after == jars[1]
    assert (rest.found.looked_at, rest.found.mended) == (5, 2 + 2)  # the third was written before the end, unnoted
    assert await city.shop.mongo.find_one(COLLECTION, {}) is None
    assert (await kept(city, jars[0]))["state"]["total"] == 60
    assert (await rebuilt(city, write=True, again=True)).found.mended == 1


async def test_again_begins_again_where_a_run_was_interrupted(city: City) -> None:
    jar = await city.jar(1)
    found = {"looked_at": 9, "differing": 0, "mended": 0, "broken": 0, "ids": [], "broken_ids": []}
    await city.shop.mongo.insert(COLLECTION, {"_id": "jar", "after": f"{jar}x", "found": found})
    assert (await rebuilt(city, write=True, again=True)).found.looked_at == 1
