"""The documents that the chassis writes, and what it writes into them, noted while it writes them for a toy."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, cast

from services.chassis.domain.scope import system_actor as eyes
from services.chassis.messaging import control, switching
from services.chassis.messaging.control import ConsumerControl
from services.chassis.messaging.dropped import Dropped
from services.chassis.messaging.kafka import Incoming, Publisher, TopicReader
from services.chassis.messaging.memory import Memory
from services.chassis.messaging.parking import Parking
from services.chassis.messaging.relay import Relay
from services.chassis.operations.backfill import Backfill
from services.chassis.storage import archive
from services.chassis.storage.audit import Action, Audit, Note
from services.chassis.storage.claims import Claims
from services.chassis.storage.leases import Lease
from services.chassis.storage.store import AlreadyDone, Store
from services.chassis.storage.vault import Vault
from tests.contracts import toys
from tests.contracts.noting import Noting
from tests.contracts.toys import AT, MASTER, ORIGIN, Toy

_PLACE = ("linli.toys.v1", 0)


async def written() -> list[str]:
    """``collection.field`` for all of them."""
    mongo = Noting()
    await _entities(mongo)
    await _keys(mongo)
    await _audit(mongo)
    await _parked(mongo)
    await _group(mongo)
    await _lease(mongo)
    backfilled = await _backfilled()
    return sorted({*mongo.lines(), *backfilled})


async def _entities(mongo: Noting) -> None:
    """Made, changed, claimed, marked as published, and with its oldest events in the archive."""
    store = Store(mongo, eyes("toys"), ORIGIN)
    async with store.create(Toy, "toy_1") as toy:
        toy.record(toys.MOVED)
    mongo.holds["toys"] = [toys.document()]
    async with AsyncExitStack() as stack:
        stack.push(lambda kind, *_: kind is AlreadyDone)
        await stack.enter_async_context(Store(mongo, eyes("toys"), ORIGIN).change(Toy, "toy_1"))
    mongo.holds["toys"] = [{**toys.document(), "history": []}]
    async with Store(mongo, eyes("toys"), ORIGIN).change(Toy, "toy_1") as toy:
        toy.to = "elsewhere"
        toy.record(toys.MOVED)
    await Claims(mongo, ORIGIN.cause).claim("toy", "key")
    await Claims(mongo, ORIGIN.cause).bind("toy", "toy_1")
    relay = Relay(mongo, cast(Publisher, None), [Toy], "/toys", ("toys", None), 4)
    await relay.mark([{"_id": "toy_1", "collection": "toys"}], {"toy_1": 1})
    await archive.copy(mongo, "toys", "toy_1", toys.document()["history"])
    await archive.pull(mongo, "toys", "toy_1", 1)


async def _keys(mongo: Noting) -> None:
    wrapped = MASTER.wrap(bytes(32), "person_1")
    mongo.holds["keys"] = [{"_id": "person_1", "wrapped": wrapped}]
    vault = Vault(mongo, MASTER)
    await vault.mint("person_1", AT)
    await vault.keep({"person_1": wrapped})


async def _audit(mongo: Noting) -> None:
    audit = Audit(mongo, MASTER, "toys-web-0")
    audit.process = "toys-web-0-term"
    await audit.append(Note(AT, "actor", ("role",), Action.READ, "use.case", ("toy_1",), ("person_1",)))
    await audit.close()


async def _parked(mongo: Noting) -> None:
    event, parking = toys.delivered(), Parking(mongo, ["react"])
    await parking.park("react", event, "reason")
    await parking.park_unreadable(event.record, "reason")
    await parking.flagged([_PLACE])
    drop = {"by": "somebody", "reason": "reason", "at": AT}
    await Dropped(mongo).keep({"_id": f"react|{event.id}", "reaction": "react", "drop": drop})


async def _group(mongo: Noting) -> None:
    reaction = toys.Acting().reaction()
    await switching.register(mongo, "linli.toys", [reaction], {_PLACE: 7})
    mongo.holds["consumers"] = [{"reactions": {"react": {"state": "on", "since": AT}}}]
    await switching.turn_off(mongo, "linli.toys", {"react": "reason"}, "toys-0", {_PLACE: 7})
    await switching.turn_on(mongo, "linli.toys", ["react"], 0, {_PLACE: 7})
    remembered = Memory(mongo)
    await remembered.load([(reaction, [toys.delivered()])])
    remembered.note(reaction, [(toys.delivered(), ())], AT)
    await remembered.save()
    asked = ConsumerControl(mongo, "linli.toys", "toys-0")
    await asked.ask()
    await asked.note_topics([_PLACE[0]])
    await asked.moved([_PLACE])
    await asked.stop("reason")
    await asked.leave()
    await control.move(mongo, "linli.toys", {_PLACE: 7}, "somebody")
    await control.pause(mongo, "linli.toys", "reason", "somebody")
    await control.resume(mongo, "linli.toys", "somebody", whose="somebody")


async def _lease(mongo: Noting) -> None:
    lease = Lease(mongo, "relay", "toys-0", 10)
    await lease.acquire()
    await lease.release()


class _Past:
    """One record of the past."""

    async def committed(self, _: str) -> dict[tuple[str, int], int]:
        return {_PLACE: 8}

    async def read(self, *_: Any) -> AsyncIterator[list[Incoming]]:
        yield [toys.delivered().record]


async def _backfilled() -> list[str]:
    """What a backfill writes; with it the effects of a reaction and what it remembers."""
    acting = toys.Acting()
    acting.mongo.holds["consumers"] = [{"reactions": {"react": {"state": "off", "since": AT}}}]
    lease = Lease(acting.mongo, "backfill", "toys-0", 10)
    passing = Backfill(
        acting.container, cast(TopicReader, _Past()), [acting.reaction()], "react", "linli.toys", [_PLACE[0]]
    )
    await passing.run(lease, lambda _: None)
    return acting.mongo.lines()
