"""Personal data at rest and on the wire: sealed under the key of its subject, which the city's master key wraps."""

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
from services.chassis.storage.errors import Duplicate
from services.chassis.storage.master_key import MasterKey
from services.chassis.storage.mongo import Document, Mongo, Put
from services.chassis.storage.sealing import Tampered, decrypted, encrypted

COLLECTION = "keys"
_CACHED = 50_000
_OWN_CACHED = 10_000
_FRESH_SECONDS = 60.0
_WAIT_SECONDS = 1.0
_WAITING = 4
"""At most this many requests of a process wait for keys, because a waiting request holds a place in the limiter."""
_NEVER = (float("-inf"), None)


class KeyNotHere(Refusal):
    kind = Kind.UNAVAILABLE


class Erased(Refusal):
    kind = Kind.STATE


class UnauditedAccess(Exception):
    """Sealed data was opened after its audit entry was written: the access would be unrecorded."""


class Opened:
    """Whose sealed data is opened for one answer."""

    def __init__(self) -> None:
        self._subjects: set[str] = set()
        self._audited: frozenset[str | None] | None = None

    def note(self, subject: str) -> None:
        """Record a subject; UnauditedAccess if ``close`` was called before and did not name it."""
        if self._audited is not None and subject not in self._audited:
            raise UnauditedAccess(subject)
        self._subjects.add(subject)

    def close(self, own: str | None) -> tuple[str, ...]:
        """All subjects but the actor's own person.

        From now on no other subject may be opened: a stream shows only these.
        """
        self._audited = frozenset({*self._subjects, own})
        return tuple(sorted(self._subjects - {own}))


class Vault:
    """Seals and opens texts. ``ensure_keys`` loads the keys of subjects; then both are local and fast."""

    def __init__(self, mongo: Mongo, master: MasterKey) -> None:
        self._mongo = mongo
        self.master = master
        self._keys: OrderedDict[str, tuple[float, AESGCM | None]] = OrderedDict()
        self._waiting_places = asyncio.Semaphore(_WAITING)
        self._note: Callable[[str], None] = _unnoted
        self._unwrap = lru_cache(_OWN_CACHED)(master.unwrap)

    def noting(self, note: Callable[[str], None]) -> "Vault":
        """The same vault with a callback: ``note`` receives whose data is opened."""
        watched = copy.copy(self)
        watched._note = note
        return watched

    async def mint(self, subject: str, at: datetime) -> None:
        """Make the key of a new subject, unless it has one.

        Only the service that mints the subject's id may do this. Raises Unavailable.
        """
        fresh = {"wrapped": self.new_key(subject), "pending": at}
        with suppress(Duplicate):  # if a concurrent request was first, its key counts
            await self._mongo.update(COLLECTION, {"_id": subject}, {"$setOnInsert": fresh}, upsert=True)
        await self.ensure_keys([subject])

    async def ensure_keys(self, subjects: Iterable[str]) -> None:
        """Load the keys of these subjects; waits up to a second for new ones, then raises KeyNotHere.

        Raises KeyNotHere at once if several requests wait already.
        """
        if missing := await self._absent(subjects):
            if self._waiting_places.locked():
                raise KeyNotHere(retry_after=1)
            async with self._waiting_places:
                await self._wait_for(missing)

    async def prefetch_keys(self, subjects: Iterable[str]) -> set[str]:
        """Load the keys that are stored here already, for many subjects at once; those without one.

        ``ensure_keys`` waits for these. Raises Unavailable.
        """
        return await self._absent(subjects)

    def is_erased(self, subject: str) -> bool:
        """Whether a subject is known here to be erased; of one that ``prefetch_keys`` did not find, no."""
        return subject in self._keys and self._keys[subject][1] is None

    def seal(self, text: str, subject: str, kind: str) -> Sealed:
        """Encrypt for a subject whose key is loaded; Erased if its key is gone, KeyError if it is not loaded."""
        key = self._keys[subject][1]
        if key is None:
            raise Erased
        return encrypted(key, text, self._bound(subject, kind))

    def open(self, sealed: Sealed, subject: str, kind: str, *, about: str | None = None) -> str | None:
        """The text again, None where the subject was erased; ``about`` is whose data it is, where not the subject's.

        Tampered where it was changed or moved, KeyError where the key of the subject is not loaded.
        """
        key = self._keys[subject][1]
        if key is None:
            return None
        self._note(about or subject)
        return decrypted(key, sealed, self._bound(subject, kind))

    def seal_under(self, text: str, subjects: Sequence[str], kind: str) -> Sealed:
        """Encrypt under the key of each subject, one inside the other: gone with whichever of them goes first."""
        *outer, inner = subjects
        sealed = self.seal(text, inner, kind)
        for subject in reversed(outer):
            sealed = self.seal(sealed, subject, kind)
        return sealed

    def open_under(self, sealed: Sealed, subjects: Sequence[str], kind: str) -> str | None:
        """The text again, None where one of the keys is gone; it is the first subject's data. Raises as ``open``."""
        opened: str | None = sealed
        for subject in subjects:
            opened = self.open(Sealed(opened), subject, kind, about=subjects[0])
            if opened is None:
                return None
        return opened

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
        opened = {subject: self._unwrapped({"_id": subject, "wrapped": wrapped}) for subject, wrapped in keys.items()}
        puts = [_kept(subject, wrapped, sweeps) for subject, wrapped in keys.items()]
        if await self._mongo.bulk(COLLECTION, puts) == len(keys):
            for subject, key in opened.items():
                self._remember(subject, key)
        else:  # some were there, or are erased
            await self._fetch(set(keys))  # never removed first: a concurrent caller may be about to use a loaded key

    async def _absent(self, subjects: Iterable[str]) -> set[str]:
        """The subjects without a key here, after a query if a key is not loaded."""
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
        found = await self._mongo.by_ids(COLLECTION, subjects)
        for subject, document in found.items():
            self._remember(subject, self._unwrapped(document))
        return {*found}

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
    """The system itself opens data: its effects are in histories."""


def _kept(subject: str, wrapped: bytes | None, sweeps: Sequence[datetime]) -> Put:
    if wrapped is None:
        noted = {"sweeps": list(sweeps)} if sweeps else {}
        return Put({"_id": subject}, {"$set": {"wrapped": None, **noted}}, upsert=True)
    # For an erased key the guard matches nothing, and the upsert's insert is skipped as a duplicate.
    return Put({"_id": subject, "wrapped": {"$ne": None}}, {"$set": {"wrapped": wrapped}}, upsert=True)
