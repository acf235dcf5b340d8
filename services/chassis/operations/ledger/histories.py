"""Reads every entity of a service in one piece and checks its versions, chain, state and causes (L3, L4, L8)."""

from array import array
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import orjson

from services.chassis.domain.checks import CheckResult
from services.chassis.domain.entity import Entity, Stored
from services.chassis.domain.events import Recorded, follows
from services.chassis.operations.answering import Say
from services.chassis.operations.ledger.commands import Commands
from services.chassis.storage import archive
from services.chassis.storage.documents import load
from services.chassis.storage.mongo import Document, Mongo
from services.chassis.storage.search import plain, plain_terms

Kinds = Sequence[type[Entity[Any]]]

_TELL = 200
_ONE_WRITE = ("http:", "timer:")
"""Causes that write one entity; one event may create several, in parts."""


@dataclass(slots=True)
class Track:
    """What one entity's history says about its topic, and what the topic contains."""

    published: int = 0
    digests: "array[int]" = field(default_factory=lambda: array("q"))
    """For each version, the expected record; 0 if it is private."""
    whole: bool = True
    """Whether its history is sound."""
    seen: int = 0
    """The versions found in the topic, as bits."""
    highest: int = 0


def digest(type: str, schema: int, value: bytes) -> int:
    """A record as a number of 63 bits, never 0; comparable within one process."""
    return hash((type, schema, value)) or 1


def digests(history: Sequence[Mapping[str, Any]]) -> "array[int]":
    """The expected records of a history, by version; 0 if private."""
    return array(
        "q", (digest(e["type"], e["schema"], orjson.dumps(e["data"])) if e["published"] else 0 for e in history)
    )


class Histories:
    """One pass over all entities; it keeps a track of each."""

    def __init__(self, mongo: Mongo, kinds: Kinds, commands: Commands, say: Say) -> None:
        self._mongo, self._kinds, self._commands, self._say = mongo, kinds, commands, say
        self._first_causes: set[int] = set()
        self.tracks: dict[str, Track] = {}
        self.waiting: list[tuple[str, str, int]] = []
        """(collection, id, version) of what was recorded and not yet published."""
        self.versions, self.states, self.causes = CheckResult("L3"), CheckResult("L4"), CheckResult("L8", "causes")
        self.unsent = CheckResult("L5", "marks")

    async def read(self) -> None:
        """Read and check every entity."""
        for kind in self._kinds:
            async for document in with_archive(self._mongo, kind, {}):
                self._judge(kind, document)
                if len(self.tracks) % _TELL == 0:
                    self._say(f"{len(self.tracks)} histories read")

    def lines(self) -> list[CheckResult]:
        """L3, L4, L8, and the part of L5 that one document shows."""
        return [self.versions, self.states, self.unsent, self.causes]

    def _judge(self, kind: type[Entity[Any]], document: Document) -> None:
        id, history = document["_id"], document["history"]
        self.versions.count("entities")
        self.versions.count("events", len(history))
        wrong = broken_history(document)
        if wrong:
            self.versions.breach(f"{id}: {wrong}")
            self.states.count("not judged, history broken")
            self.tracks[id] = Track(whole=False)
            return
        self.tracks[id] = Track(document["published"], digests(history))
        self._judge_state(kind, document)
        self._judge_mark(kind, document)
        self._judge_causes(id, history)

    def _judge_state(self, kind: type[Entity[Any]], document: Document) -> None:
        self.states.count("entities")
        wrong = wrong_state(kind, document)
        if wrong:
            self.states.breach(f"{document['_id']}: {wrong}")

    def _judge_mark(self, kind: type[Entity[Any]], document: Document) -> None:
        """Whether unpublished events will be published: version and mark are written together."""
        id, version, published = document["_id"], document["version"], document["published"]
        if version == published:
            return
        if "stuck" in document:
            self.unsent.breach(f"{id}: rejected by the relay at {published}: {document['stuck']}")
        elif document.get("pending") is None:
            self.unsent.breach(f"{id}: published up to {published} of {version}, and not pending: will never be sent")
        else:
            self.unsent.count("entities about to be published")
            self.waiting.append((kind.collection(), id, version))

    def _judge_causes(self, id: str, history: Sequence[Document]) -> None:
        met: set[str] = set()
        for cause, version in writes(history):
            self.causes.count("writes")
            self._commands.meet(cause, id, version)
            if cause in met:
                self.causes.breach(f"{id}:{version}: {cause} has had its effect before")
            met.add(cause)
        first = history[0]["cause"]
        if first.startswith(_ONE_WRITE):
            if hash(first) in self._first_causes:
                self.causes.breach(f"{id}: {first} created another entity too")
            self._first_causes.add(hash(first))


def writes(history: Sequence[Document]) -> Iterator[tuple[str, int]]:
    """(cause, last version) of each write: its events share cause, instant and trace, and are adjacent."""
    for (cause, _, _), events in groupby(history, key=lambda e: (e["cause"], e["at"], e["trace"])):
        yield cause, max(event["version"] for event in events)


async def with_archive(
    mongo: Mongo, kind: type[Entity[Any]], where: Document, show: Document | None = None
) -> AsyncIterator[Document]:
    """Every matching document in the order of ``_id``, each with its whole history."""
    async for documents in mongo.each(kind.collection(), where, show):
        for document in documents:
            yield {**document, "history": await archive.whole(mongo, kind.collection(), document)}


def broken_history(document: Document) -> str | None:
    """What is wrong with versions and chain of one document with its whole history, or None."""
    version, history = document["version"], document["history"]
    if [entry["version"] for entry in history] != list(range(1, version + 1)):
        return f"is at version {version}, its history has {_ranges([e['version'] for e in history])}"
    if document["published"] > version:
        return f"is at version {version}, published up to {document['published']}"
    if document["archived"] > document["published"]:
        return f"is published up to {document['published']}, archived up to {document['archived']}"
    previous = ""
    for number, entry in enumerate(history, start=1):
        if entry["id"] != f"{document['_id']}:{number}":
            return f"version {number} is called {entry['id']}"
        if not follows(entry, previous):
            return f"the chain breaks at version {number}"
        previous = entry["hash"]
    return None if document["hash"] == previous else "the head is not the hash of the last event"


def wrong_state(kind: type[Entity[Any]], document: Document) -> str | None:
    """How the stored state differs from the fold of a sound history, or None."""
    try:
        folded = kind.fold(document["_id"], map(Recorded.load, document["history"]))
    except Exception as error:
        return f"the history cannot be folded: {type(error).__name__}"  # its text may repeat what was stored
    return differing(kind, folded, document)


def differing(kind: type[Stored], folded: Stored, document: Document) -> str | None:
    """How a fold differs from a stored document of the same version, or None; names fields, no values."""
    try:
        wanted = kind.model_validate(folded.model_dump())
        stored = load(kind, document)
    except (KeyError, TypeError, ValueError) as error:
        return f"cannot be loaded: {type(error).__name__}"
    ours, theirs = wanted.as_stored(), stored.as_stored()
    fields = [name for name in ours if ours[name] != theirs[name]]
    if list(wanted.places()) != document["under"]:
        fields.append("under")
    if isinstance(wanted, Entity) and plain_terms(wanted) != plain(document):
        fields.append("terms")
    return f"differs in {', '.join(fields)}" if fields else None


def _ranges(versions: Sequence[int]) -> str:
    """Such as ``1-4, 6-9``."""
    runs: list[list[int]] = []
    for version in versions:
        if runs and version == runs[-1][1] + 1:
            runs[-1][1] = version
        else:
            runs.append([version, version])
    return ", ".join(f"{a}-{b}" if a != b else f"{a}" for a, b in runs) or "nothing"
