"""Entities with a key of their own: it comes with the entity, goes before its events, and can be forgotten alone."""

import asyncio
from typing import Any

import pytest

from services.chassis.domain.entity import Entity
from services.chassis.messaging.erasures import sweep
from services.chassis.messaging.kafka import BrokerAway, Outgoing, Publisher
from services.chassis.messaging.key_sending import KeySender
from services.chassis.messaging.outgoing import Address
from services.chassis.messaging.reactions import Create
from services.chassis.messaging.relay import Relay
from services.chassis.operations.answering import quietly
from services.chassis.operations.ledger.rebuild import judged
from services.chassis.operations.protocol import RepublishRequest
from services.chassis.operations.republish import Republish
from services.chassis.storage.sealing import Tampered
from services.chassis.storage.vault import COLLECTION, Erased, UnauditedAccess, Vault
from services.chassis.usecase import Container, Context
from tests.chassis.test_keys import keeping
from tests.support import poems
from tests.support.poems import Poem, PoemWritten
from tests.support.road import SOURCE, Road

ANN = "person_ann"


def acting(shop: Container, cause: str = "first") -> Context:
    return shop.system_context("test", cause)


async def loaded(shop: Container, id: str) -> Poem:
    return await acting(shop, "read").store.get(Poem, id)


async def document(shop: Container, id: str) -> dict[str, Any]:
    found = await shop.mongo.find_one("poems", {"_id": id})
    assert found is not None
    return found


class Counted:
    """A vault's database, of which no look-up is expected."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the database was asked: {name}")


async def test_words_of_a_loaded_entity_open_without_a_look_up(shop: Container) -> None:
    made = await poems.write_poem(acting(shop), ANN, "dear all")
    elsewhere = Vault(Counted(), shop.vault.master)  # type: ignore[arg-type]
    poem = await loaded(shop, made.id)
    assert elsewhere.open_own(poem.words, poem, "words") == "dear all"
    assert not await shop.mongo.count(COLLECTION, {}, limit=9)


async def test_a_repeat_gets_the_same_words_from_the_history(shop: Container) -> None:
    made = await poems.write_poem(acting(shop), ANN, "dear all")
    again = await poems.write_poem(acting(shop), ANN, "dear all")
    assert (again.id, again.wrapped_key) == (made.id, made.wrapped_key)
    assert shop.vault.open_own(again.words, again, "words") == "dear all"


async def test_of_twins_that_write_at_once_one_key_counts(shop: Container) -> None:
    made = await asyncio.gather(*(poems.write_poem(acting(shop), ANN, "dear all") for _ in range(5)))
    assert {shop.vault.open_own(poem.words, poem, "words") for poem in made} == {"dear all"}
    assert len({poem.wrapped_key for poem in made}) == 1


async def test_words_and_keys_that_were_moved_to_another_entity_do_not_open(shop: Container) -> None:
    one = await poems.write_poem(acting(shop, "one"), ANN, "one")
    two = await poems.write_poem(acting(shop, "two"), ANN, "two")
    with pytest.raises(Tampered):
        shop.vault.open_own(one.words, two, "words")
    with pytest.raises(Tampered):
        shop.vault.open_own(one.words, one, "title")
    two.set_key(one.wrapped_key)
    with pytest.raises(Tampered):
        shop.vault.open_own(one.words, two, "words")


async def test_opened_words_are_noted_for_the_people_whose_they_are(shop: Container) -> None:
    ctx = acting(shop)
    poem = await poems.write_poem(ctx, ANN, "dear all")
    ctx.vault.open_own(poem.words, poem, "words")
    assert ctx.opened.close(None) == (ANN,)
    other = acting(shop)
    other.opened.close(None)
    with pytest.raises(UnauditedAccess):
        other.vault.open_own(poem.words, poem, "words")


async def test_what_is_forgotten_opens_nowhere_and_its_history_stays_whole(shop: Container) -> None:
    made = await poems.write_poem(acting(shop), ANN, "dear all")
    other = await poems.write_poem(acting(shop, "other"), ANN, "kept")
    stale = await loaded(shop, made.id)
    await poems.forget_poem(acting(shop, "forget"), made.id)
    poem, kept = await loaded(shop, made.id), await loaded(shop, other.id)
    assert shop.vault.open_own(poem.words, poem, "words") is None
    assert shop.vault.open_own(kept.words, kept, "words") == "kept"
    with pytest.raises(Erased):
        shop.vault.seal_own("more", poem, "words")
    stored = await document(shop, made.id)
    assert stored["key"] == {"wrapped": None, "pending": True}
    assert repr(stale.wrapped_key) not in repr(stored)
    assert judged(Poem, stored) == (None, None, {})


async def test_a_repeat_after_the_forgetting_is_answered_without_the_words(shop: Container) -> None:
    made = await poems.write_poem(acting(shop), ANN, "dear all")
    await poems.forget_poem(acting(shop, "forget"), made.id)
    again = await poems.write_poem(acting(shop), ANN, "dear all")
    assert (again.id, again.version) == (made.id, 1)
    assert shop.vault.open_own(again.words, again, "words") is None


async def test_a_change_that_forgets_nothing_leaves_the_key_as_it_was_sent(shop: Container) -> None:
    made = await poems.write_poem(acting(shop), ANN, "dear all")
    await shop.mongo.update("poems", {"_id": made.id}, {"$unset": {"key.pending": 1}})
    await poems.sign_poem(acting(shop, "sign"), made.id)
    assert (await document(shop, made.id))["key"] == {"wrapped": made.wrapped_key}


async def test_what_a_reaction_makes_has_a_key_too(shop: Container) -> None:
    ctx = acting(shop)
    create = Create.of(Poem, ctx, "thanks")
    create.entity.record(PoemWritten(writer=ANN, words=ctx.vault.seal_own("thanks", create.entity, "words")))
    await shop.mongo.bulk("poems", [write for _, write in create.writes(ctx.store._origin)])
    poem = await loaded(shop, create.entity.id)
    assert shop.vault.open_own(poem.words, poem, "words") == "thanks"


async def test_nothing_else_has_a_key_in_its_document(road: Road) -> None:
    jar = await road.jar()
    stored = await road.shop.mongo.find_one("jars", {"_id": jar.id})
    assert stored is not None
    assert "key" not in stored


class Noting(Publisher):
    """Notes what is sent, and fails where the test says."""

    sent: list[tuple[str, bytes | None]]
    fails = False

    async def send(self, records: Any) -> Any:
        self.sent = [*getattr(self, "sent", []), *((record.key, record.value) for record in records)]
        return [BrokerAway("away")] * len(records) if self.fails else await super().send(records)


def relay_of(road: Road, publisher: Publisher) -> Relay:
    settings = road.world.settings()
    kinds: tuple[type[Entity[Any]], ...] = (Poem,)
    topics = (road.topic, settings.topic("keys"))
    return Relay(road.shop.mongo, publisher, kinds, SOURCE, topics, settings.history_cap, mints_keys=False)


def noting(road: Road) -> Noting:
    found = road.publisher(kind=Noting)
    assert isinstance(found, Noting)
    return found


async def keys_on_topic(road: Road) -> list[tuple[str, bytes | None]]:
    records = await road.records(road.world.settings().topic("keys"))
    return [(record.key.decode(), record.value) for record in records]


async def test_a_key_goes_out_once_and_before_its_first_event_also_after_a_crash(road: Road) -> None:
    made = await poems.write_poem(acting(road.shop), ANN, "dear all")
    publisher = noting(road)
    publisher.fails = True
    with pytest.raises(BrokerAway):
        await relay_of(road, publisher).round()
    assert publisher.sent == [(made.id, made.wrapped_key)]  # without its key no event is even tried
    assert (await document(road.shop, made.id))["key"]["pending"] is True
    restarted = noting(road)
    relay = relay_of(road, restarted)
    await road.publish(relay)
    assert [key for key, _ in restarted.sent] == [made.id, made.id]
    assert restarted.sent[0] == (made.id, made.wrapped_key)
    await poems.sign_poem(acting(road.shop, "sign"), made.id)
    await road.publish(relay)
    assert len(restarted.sent) == 3  # the second event needs no key
    stored = await document(road.shop, made.id)
    assert ("pending" in stored, stored["published"], stored["key"]) == (False, 2, {"wrapped": made.wrapped_key})


async def test_the_end_of_a_key_goes_out_and_others_drop_their_copy(road: Road) -> None:
    made = await poems.write_poem(acting(road.shop), ANN, "dear all")
    await road.publish(relay_of(road, noting(road)))
    topic = road.world.settings().topic("keys")
    await keeping(road, topic)
    await road.hall.vault.ensure_keys([made.id])
    assert road.hall.vault.open(made.words, made.id, "words") == "dear all"
    await poems.forget_poem(acting(road.shop, "forget"), made.id)
    await road.publish(relay_of(road, noting(road)))
    await keeping(road, topic)
    assert road.hall.vault.open(made.words, made.id, "words") is None
    assert await keys_on_topic(road) == [(made.id, made.wrapped_key), (made.id, None)]
    assert (await road.hall.mongo.find_one(COLLECTION, {"_id": made.id}) or {})["wrapped"] is None


async def test_a_key_forgotten_while_an_older_relay_sends_it_goes_out_as_forgotten_last(road: Road) -> None:
    made = await poems.write_poem(acting(road.shop), ANN, "dear all")

    class Slow(Publisher):
        async def send(self, records: Any) -> Any:
            if records and records[0].value == made.wrapped_key:
                await poems.forget_poem(acting(road.shop, "forget"), made.id)
                await road.publish(relay_of(road, noting(road)))  # a newer relay
            return await super().send(records)

    await relay_of(road, road.publisher(kind=Slow)).round()
    await road.publish(relay_of(road, noting(road)))
    assert [value is None for _, value in await keys_on_topic(road)] == [True, False, True]
    stored = await document(road.shop, made.id)
    assert ("pending" in stored, stored["published"], stored["key"]) == (False, 2, {"wrapped": None})


async def test_republishing_sends_the_key_before_the_events_and_never_revives_one(road: Road) -> None:
    made = await poems.write_poem(acting(road.shop), ANN, "dear all")
    await road.publish(relay_of(road, noting(road)))
    publisher = noting(road)
    topic = road.world.settings().topic("keys")
    keys = KeySender(road.shop.mongo, publisher, topic, mints=False)
    again = Republish(road.shop.mongo, (Poem,), RepublishRequest(), quietly)
    await again.send(publisher, Address(road.topic, SOURCE), keys)
    assert publisher.sent[0] == (made.id, made.wrapped_key)
    assert [key for key, _ in publisher.sent] == [made.id, made.id]
    await poems.forget_poem(acting(road.shop, "forget"), made.id)
    await road.publish(relay_of(road, noting(road)))
    await keys.send_again("poems", {made.id: made.wrapped_key})  # read before it was forgotten
    await road.publish(relay_of(road, noting(road)))
    assert (await keys_on_topic(road))[-1] == (made.id, None)


async def test_a_service_keeps_no_copy_of_the_keys_that_its_own_entities_hold(road: Road) -> None:
    topic = road.world.settings().topic("keys")
    made = await poems.write_poem(acting(road.hall), ANN, "dear all")
    keys = [(made.id, made.wrapped_key), (ANN, road.hall.vault.new_key(ANN))]
    await road.publisher().send([Outgoing(topic, subject, wrapped, {}) for subject, wrapped in keys])
    await keeping(road, topic, (Poem,))
    assert [key["_id"] for key in await road.hall.mongo.find(COLLECTION, {}, limit=9)] == [ANN]


async def test_an_erased_person_is_swept_twice_also_after_a_crash(road: Road) -> None:
    topic = road.world.settings().topic("keys")
    await road.publisher().send([Outgoing(topic, ANN, None, {})])
    await keeping(road, topic, (Poem,))
    swept: list[str] = []

    async def forget(_: Container, person: str) -> int:
        swept.append(person)
        if len(swept) == 1:
            raise asyncio.CancelledError  # the worker stops in the middle
        return 1

    with pytest.raises(asyncio.CancelledError):
        await sweep(forget, road.hall)
    assert [await sweep(forget, road.hall) for _ in range(2)] == [1, 0]
    (key,) = await road.hall.mongo.find(COLLECTION, {}, limit=9)
    assert key["wrapped"] is None
    assert len(key["sweeps"]) == 1
    await road.hall.mongo.update(COLLECTION, {"_id": ANN}, {"$set": {"sweeps": [road.hall.clock()]}})
    assert [await sweep(forget, road.hall) for _ in range(2)] == [1, 0]
    assert swept == [ANN] * 3
