"""Personal data at rest and on the wire: sealed under a key of its subject, itself wrapped by the city's."""

import asyncio
import copy
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.chassis.domain.entity import Entity
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.values import Sealed
from services.chassis.storage.batch_loader import BatchLoader
from services.chassis.storage.master_key import MasterKey
from services.chassis.storage.mongo import Document, Duplicate, Mongo, Put
from services.chassis.storage.sealing import Tampered, decrypted, encrypted

COLLECTION = "keys"
_CACHED = 50_000
_OWN_CACHED = 10_000
_FRESH_SECONDS = 60.0
_WAIT_SECONDS = 1.0
_WAITING = 4
"""So many wait for keys at once: who waits at a door holds a place there, which others need."""
_NEVER = (float("-inf"), None)


class KeyNotHere(Refusal):
    kind = Kind.UNAVAILABLE


class Erased(Refusal):
    kind = Kind.STATE


class UnauditedAccess(Exception):
    """Somebody's sealed data was opened after the audit was told whose was: nobody would know of it."""


class Opened:
    """Whose sealed data is opened on the way to one answer."""

    def __init__(self) -> None:
        self._subjects: set[str] = set()
        self._told: frozenset[str | None] | None = None

    def note(self, subject: str) -> None:
        """One is opened; UnauditedAccess where ``tell`` has been called and did not name them."""
        if self._told is not None and subject not in self._told:
            raise UnauditedAccess(subject)
        self._subjects.add(subject)

    def tell(self, own: str | None) -> tuple[str, ...]:
        """All but the actor's own person; from now on nobody else's opens: a stream shows only them."""
        self._told = frozenset({*self._subjects, own})
        return tuple(sorted(self._subjects - {own}))


class Vault:
    """Seals and opens texts. ``ensure_keys`` brings the keys of some subjects near; then both are quick and local."""

    def __init__(self, mongo: Mongo, master: MasterKey) -> None:
        self._mongo = mongo
        self.master = master
        self._keys: OrderedDict[str, tuple[float, AESGCM | None]] = OrderedDict()
        self._waiting_places = asyncio.Semaphore(_WAITING)
        self._together = BatchLoader()
        self._note: Callable[[str], None] = _unnoted
        self._unwrap = lru_cache(_OWN_CACHED)(master.unwrap)

    def noting(self, note: Callable[[str], None]) -> "Vault":
        """The same vault for somebody who is to account for it: ``note`` is told whose data is opened."""
        watched = copy.copy(self)
        watched._note = note
        return watched

    async def mint(self, subject: str, at: datetime) -> None:
        """Make the key of a new subject, unless it has one. Only the service that mints the subject's id does this."""
        fresh = {"wrapped": self.new_key(subject), "pending": at}
        with suppress(Duplicate):  # where a twin minted it first, theirs counts
            await self._mongo.update(COLLECTION, {"_id": subject}, {"$setOnInsert": fresh}, upsert=True)
        await self.ensure_keys([subject])

    async def ensure_keys(self, subjects: Iterable[str]) -> None:
        """Have the keys of these subjects at hand; waits up to a second for new ones, then KeyNotHere.

        At once where several wait already.
        """
        if missing := await self._absent(subjects):
            if self._waiting_places.locked():
                raise KeyNotHere(retry_after=1)
            async with self._waiting_places:
                await self._wait_for(missing)

    async def prefetch_keys(self, subjects: Iterable[str]) -> None:
        """Load the keys that are stored here already, for many subjects at once; ``ensure_keys`` waits."""
        await self._absent(subjects)

    def is_erased(self, subject: str) -> bool:
        """Whether a subject is known here to be erased; of one that ``prefetch_keys`` did not find, no."""
        return subject in self._keys and self._keys[subject][1] is None

    def seal(self, text: str, subject: str, kind: str) -> Sealed:
        """Encrypt for a subject that is held; Erased where its key is gone, KeyError where it is not held."""
        key = self._keys[subject][1]
        if key is None:
            raise Erased
        return encrypted(key, text, self._bound(subject, kind))

    def open(self, sealed: Sealed, subject: str, kind: str, *, about: str | None = None) -> str | None:
        """The text again, None where the subject was erased; ``about`` is whose data it is, where not the subject's.

        Tampered where it was changed or moved, KeyError where the subject is not held.
        """
        key = self._keys[subject][1]
        if key is None:
            return None
        self._note(about or subject)
        return decrypted(key, sealed, self._bound(subject, kind))

    def new_key(self, subject: str) -> bytes:
        """A key for a new entity that has one of its own, wrapped: it is stored with the entity, in one write."""
        return self.master.wrap(AESGCM.generate_key(256), subject)

    def seal_own(self, text: str, entity: Entity[Any], kind: str) -> Sealed:
        """Encrypt with the key of the entity itself, without any look-up; Erased where it was forgotten."""
        key = self._own(entity)
        if key is None:
            raise Erased
        return encrypted(key, text, self._bound(entity.id, kind))

    def open_own(self, sealed: Sealed, entity: Entity[Any], kind: str) -> str | None:
        """The text again, without any look-up, None where the entity was forgotten; noted for each of its people.

        Tampered where it was changed or moved.
        """
        key = self._own(entity)
        if key is None:
            return None
        for person in entity.subjects():
            self._note(person)
        return decrypted(key, sealed, self._bound(entity.id, kind))

    async def keep(self, keys: dict[str, bytes | None], sweeps: Sequence[datetime] = ()) -> None:
        """Take over keys that the minting service sent; None means erased, for good: a late writer brings none back.

        ``sweeps`` is noted with those that are erased: when to forget what is kept of them.
        Tampered, and none taken, by a wrong one.
        """
        for subject, wrapped in keys.items():
            self._unwrapped({"_id": subject, "wrapped": wrapped})
        await self._mongo.bulk(COLLECTION, [_kept(subject, wrapped, sweeps) for subject, wrapped in keys.items()])
        if keys:
            await self._fetch(set(keys))  # never taken out before: somebody may be about to use one that is held

    async def _absent(self, subjects: Iterable[str]) -> set[str]:
        """Those whose keys are not here, after a look where any is not at hand."""
        stale = time.monotonic() - _FRESH_SECONDS
        missing = {s for s in subjects if self._keys.get(s, _NEVER)[0] <= stale}
        return missing - await self._fetch(missing) if missing else missing

    async def _wait_for(self, missing: set[str]) -> None:
        give_up = time.monotonic() + _WAIT_SECONDS
        while missing:
            if time.monotonic() > give_up:
                raise KeyNotHere(retry_after=1)
            await asyncio.sleep(0.02)
            missing = missing - await self._fetch(missing)

    async def _fetch(self, subjects: set[str]) -> set[str]:
        found = await self._documents(list(subjects)) if len(subjects) > 1 else await self._only(*subjects)
        for subject, document in found.items():
            self._remember(subject, self._unwrapped(document))
        return {*found}

    async def _only(self, subject: str) -> dict[str, Document]:
        """Looked for together with those of others who are at a door at this moment."""
        document = await self._together.get(subject, self._documents)
        return {} if document is None else {subject: document}

    async def _documents(self, subjects: Sequence[str]) -> dict[str, Document]:
        found = await self._mongo.find(COLLECTION, {"_id": {"$in": subjects}}, limit=len(subjects))
        return {document["_id"]: document for document in found}

    def _own(self, entity: Entity[Any]) -> AESGCM | None:
        try:
            return None if entity.wrapped_key is None else self._unwrap(entity.wrapped_key, entity.id)
        except (InvalidTag, ValueError):
            raise Tampered(f"the key of {entity.id}") from None

    def _unwrapped(self, document: Document) -> AESGCM | None:
        wrapped = document["wrapped"]
        try:
            return None if wrapped is None else self.master.unwrap(bytes(wrapped), document["_id"])
        except (InvalidTag, ValueError):
            raise Tampered(f"the key of {document['_id']}") from None

    def _remember(self, subject: str, key: AESGCM | None) -> None:
        self._keys[subject] = (time.monotonic(), key)
        self._keys.move_to_end(subject)
        while len(self._keys) > _CACHED:
            self._keys.popitem(last=False)

    def _bound(self, subject: str, kind: str) -> str:
        return f"{self.master.city}|{subject}|{kind}"


def _unnoted(subject: str) -> None:
    """The house itself looks: what it does stands in histories."""


def _kept(subject: str, wrapped: bytes | None, sweeps: Sequence[datetime]) -> Put:
    if wrapped is None:
        noted = {"sweeps": list(sweeps)} if sweeps else {}
        return Put({"_id": subject}, {"$set": {"wrapped": None, **noted}}, upsert=True)
    # Where it is erased the guard matches nothing, and the insert that follows from this is passed over as a duplicate.
    return Put({"_id": subject, "wrapped": {"$ne": None}}, {"$set": {"wrapped": wrapped}}, upsert=True)
