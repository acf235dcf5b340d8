"""Personal data at rest and on the wire: sealed under a key of its subject, itself wrapped by the city's."""

import asyncio
import base64
import copy
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.values import Sealed
from services.chassis.storage.batch_loader import BatchLoader
from services.chassis.storage.mongo import Document, Duplicate, Mongo, Put

COLLECTION = "keys"
_SUITE = "1"  # AES-256-GCM; a second suite gets a number of its own
_CACHED = 50_000
_FRESH_SECONDS = 60.0
_WAIT_SECONDS = 1.0
_WAITING = 4
"""So many wait for keys at once: who waits at a door holds a place there, which others need."""
_NEVER = (float("-inf"), None)


class KeyNotHere(Refusal):
    kind = Kind.UNAVAILABLE


class Erased(Refusal):
    kind = Kind.STATE


class Tampered(Exception):
    """Sealed bytes do not open for this subject and field kind: changed, or moved from elsewhere."""


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


class MasterKey:
    """The city's key: wraps the data keys and makes the blind indexes."""

    def __init__(self, raw: bytes, city: str) -> None:
        self.city = city
        self._wrap = AESGCM(_derived(raw, "wrap"))
        self._blind = _derived(raw, "blind")
        self._print = _derived(raw, "fingerprint")

    @classmethod
    def read(cls, file: Path, city: str) -> "MasterKey":
        """From a file of 64 hexadecimal characters; ValueError where it is anything else."""
        raw = bytes.fromhex(file.read_text().strip())
        if len(raw) != 32:
            raise ValueError(f"{file} must hold 64 hexadecimal characters")
        return cls(raw, city)

    def wrap(self, key: bytes, subject: str) -> bytes:
        """A data key as it may be stored and sent."""
        nonce = secrets.token_bytes(12)
        return nonce + self._wrap.encrypt(nonce, key, self._bound(subject))

    def unwrap(self, wrapped: bytes, subject: str) -> AESGCM:
        """The data key again, ready for use."""
        return AESGCM(self._wrap.decrypt(wrapped[:12], wrapped[12:], self._bound(subject)))

    def blind(self, kind: str, value: str) -> str:
        """The blind index of a value: equal values give equal texts, which tell nothing else."""
        return hmac.digest(self._blind, f"{self.city}|{kind}|{value}".encode(), "sha256").hex()[:40]

    def fingerprint(self, payload: bytes) -> str:
        """The mark of a payload by which a repeat is told from another request."""
        return hmac.digest(self._print, payload, "sha256").hex()[:32]

    def _bound(self, subject: str) -> bytes:
        return f"{self.city}|{subject}|data key".encode()


def _derived(raw: bytes, purpose: str) -> bytes:
    return hmac.digest(raw, f"linli {purpose}".encode(), "sha256")


class Vault:
    """Seals and opens texts. ``ensure_keys`` brings the keys of some subjects near; then both are quick and local."""

    def __init__(self, mongo: Mongo, master: MasterKey) -> None:
        self._mongo = mongo
        self.master = master
        self._keys: OrderedDict[str, tuple[float, AESGCM | None]] = OrderedDict()
        self._waiting_places = asyncio.Semaphore(_WAITING)
        self._together = BatchLoader()
        self._note: Callable[[str], None] = _unnoted

    def noting(self, note: Callable[[str], None]) -> "Vault":
        """The same vault for somebody who is to account for it: ``note`` is told whose data is opened."""
        watched = copy.copy(self)
        watched._note = note
        return watched

    async def mint(self, subject: str, at: datetime) -> None:
        """Make the key of a new subject, unless it has one. Only the service that mints the subject's id does this."""
        wrapped = self.master.wrap(AESGCM.generate_key(256), subject)
        fresh = {"wrapped": wrapped, "pending": at}
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

    def seal(self, text: str, subject: str, kind: str) -> Sealed:
        """Encrypt for a subject that is held; Erased where its key is gone, KeyError where it is not held."""
        key = self._keys[subject][1]
        if key is None:
            raise Erased
        nonce = secrets.token_bytes(12)
        return _written(nonce + key.encrypt(nonce, text.encode(), self._bound(subject, kind)))

    def open(self, sealed: Sealed, subject: str, kind: str) -> str | None:
        """The text again, None where the subject was erased.

        Tampered where it was changed or moved, KeyError where the subject is not held.
        """
        key = self._keys[subject][1]
        if key is None:
            return None
        self._note(subject)
        try:
            box = _read(sealed)
            return key.decrypt(box[:12], box[12:], self._bound(subject, kind)).decode()
        except (InvalidTag, ValueError):
            raise Tampered(f"{kind} of {subject}") from None

    async def keep(self, keys: dict[str, bytes | None]) -> None:
        """Take over keys that the minting service sent; None means erased, for good: a late writer brings none back.

        Tampered, and none taken, by a wrong one.
        """
        for subject, wrapped in keys.items():
            self._unwrapped({"_id": subject, "wrapped": wrapped})
        await self._mongo.bulk(COLLECTION, [_kept(subject, wrapped) for subject, wrapped in keys.items()])
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

    def _bound(self, subject: str, kind: str) -> bytes:
        return f"{self.master.city}|{subject}|{kind}".encode()


def _unnoted(subject: str) -> None:
    """The house itself looks: what it does stands in histories."""


def _kept(subject: str, wrapped: bytes | None) -> Put:
    # Where it is erased the guard matches nothing, and the insert that follows from this is passed over as a duplicate.
    guard: Document = {} if wrapped is None else {"wrapped": {"$ne": None}}
    return Put({"_id": subject, **guard}, {"$set": {"wrapped": wrapped}}, upsert=True)


def _written(box: bytes) -> Sealed:
    return Sealed(f"{_SUITE}.{base64.urlsafe_b64encode(box).decode().rstrip('=')}")


def _read(sealed: Sealed) -> bytes:
    """The bytes again; ValueError for a suite that is not known and for any spelling but our own."""
    suite, _, body = sealed.partition(".")
    box = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    if suite != _SUITE or _written(box) != sealed:
        raise ValueError
    return box
