"""All of a running town that can be read with every key that still exists: databases and topics, as they are stored."""

import asyncio
import base64
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import bson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from deploy.local import Stack
from services.chassis.messaging.kafka import KEYS_TOPIC, TopicReader
from services.chassis.storage.master_key import MasterKey
from services.chassis.storage.mongo import Document, connect

_SEALED = re.compile(rb"1\.[A-Za-z0-9_-]{38,}")
"""A sealed text has at least twelve bytes of a nonce and sixteen of a tag."""
Content = Mapping[str, bytes]
"""The bytes that are stored in each place: a collection, such as ``requests.cases_archive``, or a topic."""


@dataclass(frozen=True)
class Held:
    """What a town holds at one moment: all documents of all services, all records, and the keys that still exist."""

    content: Content
    documents: Mapping[str, list[Document]]
    keys: Mapping[str, AESGCM]

    @classmethod
    def by(cls, stack: Stack) -> "Held":
        """Everything, read now."""
        return asyncio.run(_held(stack))

    def sealed(self) -> set[bytes]:
        """All sealed texts in it, as they are stored."""
        return {text for content in self.content.values() for text in _SEALED.findall(content)}

    def words(self, without: Iterable[bytes] = ()) -> dict[str, str]:
        """What each place says to who tries every key on every sealed text; those in ``without`` are left.

        One that opens to another sealed text is opened further. To what a text is bound does not matter: who has the
        key reads it without that.
        """
        opened = {text: self._open(text) for text in self.sealed() - frozenset(without)}
        return {
            place: content.decode("utf-8", "replace") + "".join(opened.get(one, "") for one in _SEALED.findall(content))
            for place, content in self.content.items()
        }

    def about(self, id: str) -> dict[str, list[Document]]:
        """The documents of every collection in which an id stands."""
        found = {
            place: [document for document in documents if id in str(document)]
            for place, documents in self.documents.items()
        }
        return {place: documents for place, documents in found.items() if documents}

    def _open(self, text: bytes) -> str:
        box = base64.urlsafe_b64decode(text[2:] + b"=" * (-len(text[2:]) % 4))
        nonce, hidden = box[:12], box[12:-16]
        said = ""
        for key in self.keys.values():
            # In GCM what is encrypted twice under one nonce is clear again; the tag behind it is of no use here.
            with suppress(UnicodeDecodeError):
                words = key.encrypt(nonce, hidden, None)[: len(hidden)].decode()
                said += self._open(words.encode()) if _SEALED.fullmatch(words.encode()) else words
        return said


async def _held(stack: Stack) -> Held:
    given = stack.environment("requests", "worker")
    master = MasterKey.read(Path(given["LINLI_MASTER_KEY_FILE"]), given["LINLI_CITY"])
    documents: dict[str, list[Document]] = {}
    for service, uri in stack.signed_in.items():
        documents |= await _documents(service, uri)
    content = {place: b"".join(bson.encode(one) for one in found) for place, found in documents.items()}
    wrapped = {one["_id"]: key for found in documents.values() for one in found if (key := _key(one))}
    async with TopicReader(stack.kafka).open() as past:
        for short in ("members", "requests", "notify", KEYS_TOPIC):
            records = await _records(past, f"{given['LINLI_TOPIC_PREFIX']}.{short}.v1")
            content[f"topic {short}"] = b"\n".join(value for _, value in records if value)
            if short == KEYS_TOPIC:
                last = dict(records)  # compaction leaves the last of each subject
                wrapped |= {subject: value for subject, value in last.items() if value}
    return Held(content, documents, _unwrapped(master, wrapped))


async def _documents(service: str, uri: str) -> dict[str, list[Document]]:
    mongo = connect(uri)
    try:
        listed = await mongo.command("listCollections", nameOnly=True)
        found: dict[str, list[Document]] = {}
        for name in (one["name"] for one in listed["cursor"]["firstBatch"]):
            found[f"{service}.{name}"] = [one async for some in mongo.each(name, {}) for one in some]
        return found
    finally:
        await mongo.close()


async def _records(past: TopicReader, topic: str) -> list[tuple[str, bytes | None]]:
    ends = await past.ends(topic)
    batches = [past.read(*place, 0, end) for place, end in ends.items() if end]
    return [(record.key, record.value) for batch in batches async for some in batch for record in some]


def _key(document: Document) -> bytes | None:
    """The wrapped key in a document, of a collection of keys or of an entity."""
    own = document.get("key")
    return document.get("wrapped") or (own.get("wrapped") if isinstance(own, dict) else None)


def _unwrapped(master: MasterKey, wrapped: Mapping[str, bytes]) -> dict[str, AESGCM]:
    found: dict[str, AESGCM] = {}
    for subject, key in wrapped.items():
        try:
            found[subject] = master.unwrap(bytes(key), subject)
        except InvalidTag:  # not a data key
            continue
    return found
