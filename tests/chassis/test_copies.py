"""Copies: what another service told, at its version, whatever it says."""

from tests.support import toy
from tests.support.reading import consume, headers
from tests.support.road import Road

ALL = toy.hall.all_reactions


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


async def test_texts_that_look_like_operators_are_copied_as_texts(road: Road) -> None:
    jar = await toy.open_jar(road.doing(), toy.OpenJar(label="$v $$ROOT {$ne: 1}"))
    await road.drop(jar, 1)
    await road.publish()
    await consume(road)
    copy = await road.hall.mongo.find_one("copies_jar", {"_id": jar.id})
    assert copy is not None
    assert copy["state"]["label"] == "$v $$ROOT {$ne: 1}"
