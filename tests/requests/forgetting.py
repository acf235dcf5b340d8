"""A case with words of every sort, and what can be read of it with all the keys that are left."""

from dataclasses import dataclass
from typing import Any

import httpx

from services.chassis.domain.scope import Actor
from services.chassis.domain.values import Sealed
from services.chassis.storage import archive
from services.chassis.storage.sealing import Tampered
from services.chassis.storage.vault import Vault
from services.requests.cases.model import Case
from tests.requests.town import (
    ADMINISTRATOR,
    DISPATCHER,
    RESIDENT,
    STATION_HANDLER,
    Town,
)

WORDS: dict[str, Any] = {
    "title": "canary-title",
    "text": "canary-text",
    "address": "canary-address",
    "answers": {"age": 70_117_394_882_105},  # a short number may be part of the id of a trace
    "lat": 49.21171,
    "long": 119.76171,
    "item": "FORM",
}
SAID = ("canary-title", "canary-text", "canary-address", "70117394882105", "49.21171", "119.76171")
LATER = ("canary-reason", "canary-comment", "canary-inside", "canary-answer", "canary-remark", "canary-note")


async def lived(town: Town, resident: Actor = RESIDENT) -> dict[str, Any]:
    """A case with words of every sort, closed at last."""
    case = await town.file(resident, **WORDS)
    await town.step(STATION_HANDLER, case, "return", {"reason": "canary-reason"})
    await town.step(DISPATCHER, case, "handler", {"organisation_id": "organisation_station"})
    await town.step(STATION_HANDLER, case, "accept")
    await town.step(resident, case, "comment", {"text": "canary-comment"})
    await town.step(STATION_HANDLER, case, "comment", {"text": "canary-inside", "public": False})
    await town.step(STATION_HANDLER, case, "resolve", {"answer": "canary-answer"})
    await town.step(DISPATCHER, case, "call-back", {"reached": True, "note": "canary-note"})
    return await town.step(resident, case, "rate", {"score": 4, "solved": True, "remark": "canary-remark"})


async def forget(town: Town, case: dict[str, Any], because: str = "asked", **more: Any) -> httpx.Response:
    return await town.post(more.pop("actor", ADMINISTRATOR), f"/v1/requests/{case['id']}/forget", {"because": because})


async def all_documents(town: Town) -> list[tuple[str, dict[str, Any]]]:
    """Every document of every collection of the service."""
    names = await town.container.mongo._database.list_collection_names()
    found = [(name, await town.container.mongo.find(name, {}, limit=10_000)) for name in names]
    return [(name, document) for name, documents in found for document in documents]


def sealed_values(value: Any, field: str = "") -> list[tuple[str, str]]:
    """Everything in a document that may be sealed, with the name of its field."""
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in sealed_values(inner, name)]
    if isinstance(value, list):
        return [found for inner in value for found in sealed_values(inner, field)]
    return [(field, value)] if isinstance(value, str) and value.startswith("1.") else []


@dataclass
class Keys:
    """Every key that is left: of people, and of cases."""

    vault: Vault
    people: list[str]
    cases: list[Case]

    def read(self, field: str, sealed: str) -> list[str]:
        """What this value says to whoever tries every key with every name that it could be sealed for."""
        found = []
        for kind in {field, "title", "text", "address", "answers", "position", "answer", "reason", "note", "remark"}:
            for case in self.cases:
                try:
                    found.append(self.vault.open_own(Sealed(sealed), case, kind))
                except Tampered:
                    continue
            for person in self.people:
                try:
                    found.append(self.vault.open(Sealed(sealed), person, kind))
                except Tampered:
                    continue
        return [words for words in found if words is not None]


async def keys_left(town: Town) -> Keys:
    keys = await town.container.mongo.find("keys", {"wrapped": {"$ne": None}}, limit=100)
    await town.container.vault.ensure_keys(key["_id"] for key in keys)
    cases = await town.container.mongo.find("cases", {}, limit=100)
    return Keys(town.container.vault, [key["_id"] for key in keys], [await town.case(case["_id"]) for case in cases])


async def readable(town: Town) -> str:
    """All that can be read in the database with all the keys that are left in it."""
    keys, documents = await keys_left(town), await all_documents(town)
    opened = [keys.read(field, value) for _, document in documents for field, value in sealed_values(document)]
    return repr((documents, opened))


async def archive_all(town: Town, id: str) -> None:
    """The oldest half of a history goes to the archive, as if all of it had been published."""
    mongo = town.container.mongo
    stored = await mongo.find_one("cases", {"_id": id})
    assert stored is not None
    await mongo.update("cases", {"_id": id}, {"$set": {"published": stored["version"]}})
    assert await archive.trim(mongo, "cases", id, 6) > 3
