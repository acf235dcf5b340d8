"""Cases in masses: documents as the service writes them, made from one real case, each at its own place and stage."""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pymongo import AsyncMongoClient, IndexModel, MongoClient

from services.chassis.domain.values import id_from, now
from services.chassis.runtime.service import open_container
from services.chassis.storage import migrations
from services.chassis.storage.master_key import MasterKey
from services.chassis.storage.sealing import encrypted
from services.chassis.usecase import Container
from services.contracts.members.areas import path
from services.requests.app import service
from services.requests.cases.model import Case
from services.requests.cases.states.model import OPEN, RUNNING, State
from tests.bench.bench import DRIVERS, Bench
from tests.bench.town import CITY
from tests.support import operators
from tests.support.operating import settings_of

RESIDENTS = 200
ITEMS = tuple(f"GOV-MASS-{n}" for n in range(8))
# Four counties with four sub-districts each, and four communities in each of those.
SUB_DISTRICTS = tuple(f"{CITY}{county:02}{street:03}" for county in range(11, 15) for street in range(1, 5))
STATIONS = {place: f"organisation_bench{place}" for place in SUB_DISTRICTS}
# Of ten cases: most are over, as in every city that has been at it for years.
STATES = (State.DISPATCHED, *[State.ACCEPTED] * 2, *[State.IN_PROGRESS] * 2, State.RESOLVED, *[State.CLOSED] * 4)
_LATE = 3  # of ten that are open
_SAID = {
    "title": "楼道灯不亮",
    "text": "三单元的楼道灯坏了一个星期，老人晚上回家看不见。",
    "answers": '{"need":"修好楼道灯"}',
}
_YEAR, _TIME = 365 * 86_400_000, timedelta(days=3)
_BATCH = 1_000
_BUILDS = 3  # index builds that a server takes at once
_INDEX_SECONDS = 600

Document = dict[str, Any]


@dataclass(frozen=True)
class Mould:
    """What all are made from: a real case, their residents, and until when they were filed."""

    document: Document
    residents: Sequence[str]
    until: datetime

    def case(self, number: int) -> Document:
        """The case of this number: always the same."""
        dice = hashlib.blake2b(str(number).encode(), digest_size=16).digest()
        resident = self.residents[number % len(self.residents)]
        place = SUB_DISTRICTS[dice[0] % len(SUB_DISTRICTS)]
        area, state = f"{place}{dice[1] % 4 + 1:03}", STATES[dice[2] % len(STATES)]
        filed = self.until - timedelta(milliseconds=int.from_bytes(dice[8:], "big") % _YEAR)
        content = {
            **self.document["state"],
            "number": f"{filed:%y%m%d}-{number:07}-0",
            "resident_id": resident,
            "filed_by": resident,
            "filed_at": filed,
            "waits_since": filed,
            "respond_by": filed + _TIME / 3,
            "warn_at": filed + _TIME / 2,
            "due_at": filed + _TIME,
            "next_tick_at": filed + _TIME if state in RUNNING else None,
            "state": state.value,
            "overdue": state in OPEN and dice[3] % 10 < _LATE,
            "item": ITEMS[dice[4] % len(ITEMS)],
            "area": area,
            "county": area[:6],
            "handler_id": STATIONS[place],
        }
        return {**self.document, "_id": case_id(number), "under": list(path(area)), "state": content}


@dataclass(frozen=True)
class Share:
    """What one process makes: the cases of these numbers, into this database."""

    uri: str
    mould: Mould
    numbers: range
    master: tuple[Path, str]
    """The file of the master key, and the city."""


@dataclass(frozen=True)
class Made:
    """How long it took (seconds), and what the database takes on disk (bytes)."""

    inserting: float
    indexing: float
    cases: int
    indexes: int


def case_id(number: int) -> str:
    """The id of the case of this number."""
    return id_from(Case.entity_type, f"mass:{number}")


def resident_id(number: int) -> str:
    """Who filed the case of this number."""
    return id_from("person", f"mass:{number % RESIDENTS}")


async def fill(bench: Bench, database: str, size: int) -> Made:
    """This many cases in a database of their own beside that of requests, with every index that `migrate` builds."""
    uri, own = operators.uri(bench.stack, "requests", database), operators.settings(bench.stack, "requests", database)
    settings = settings_of({**bench.stack.environment("requests", "web"), **own})
    container, master = open_container(service, settings), (settings.master_key_file, settings.city)
    try:
        mould = await _mould(bench, [resident_id(n) for n in range(RESIDENTS)], container)
        began = time.monotonic()
        await bench.drive(insert, *(Share(uri, mould, range(n, size, DRIVERS), master) for n in range(DRIVERS)))
        inserted = time.monotonic()
        await _index(uri)
        await migrations.build(container.mongo, service.kinds)
        indexed = time.monotonic()
        reported = await container.mongo.command("collStats", Case.collection())
    finally:
        await container.mongo.close()
    return Made(inserted - began, indexed - inserted, reported["storageSize"], reported["totalIndexSize"])


async def drop(bench: Bench, database: str) -> None:
    """Away with it."""
    async with AsyncMongoClient[Document](operators.uri(bench.stack, "requests")) as client:
        await client.drop_database(database)


def insert(share: Share) -> None:
    """Insert a share. Nothing needs to be durable, so nothing waits for the journal."""
    master = MasterKey.read(*share.master)
    with MongoClient[Document](share.uri, w=1, journal=False) as client:
        kept = client.get_default_database()[Case.collection()]
        for start in range(0, len(share.numbers), _BATCH):
            numbers = share.numbers[start : start + _BATCH]
            kept.insert_many([sealed(share.mould.case(number), master) for number in numbers], ordered=False)


def sealed(case: Document, master: MasterKey) -> Document:
    """A case with its words, under a key of its own: all say the same."""
    id, raw = case["_id"], AESGCM.generate_key(256)
    words = {field: encrypted(AESGCM(raw), said, f"{master.city}|{id}|{field}") for field, said in _SAID.items()}
    return {**case, "state": {**case["state"], **words}, "key": {"wrapped": master.wrap(raw, id)}}


async def _mould(bench: Bench, people: Sequence[str], container: Container) -> Mould:
    """From the first case of the town; its history is left out, as if it were in the archive."""
    async with AsyncMongoClient[Document](bench.stack.signed_in["requests"], tz_aware=True) as client:
        found = await client.get_default_database()[Case.collection()].find_one({"version": {"$gte": 1}})
    assert found is not None
    document = {**found, "history": [], "archived": found["version"], "published": found["version"]}
    document.pop("pending", None)
    wrapped = {person: container.vault.master.wrap(AESGCM.generate_key(256), person) for person in people}
    await container.vault.keep({**wrapped})
    return Mould(document, people, now())


async def _index(uri: str) -> None:
    """As `migrate` would one after the other: several in one reading of all cases, three readings at once."""
    declared = [index for name, index in migrations.declared([Case]) if name == Case.collection()]
    models = [IndexModel(list(index.keys), sparse=index.sparse, unique=index.unique) for index in declared]
    async with AsyncMongoClient[Document](uri, socketTimeoutMS=_INDEX_SECONDS * 1000) as client:
        kept = client.get_default_database()[Case.collection()]
        await asyncio.gather(*(kept.create_indexes(models[n::_BUILDS]) for n in range(_BUILDS)))
