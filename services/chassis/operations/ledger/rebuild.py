"""Rebuilds states from histories, after a fold has changed or a state was damaged: no event, no new version."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from services.chassis.domain.checks import EXAMPLES
from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Recorded
from services.chassis.operations.answering import Say
from services.chassis.operations.ledger.histories import broken_history, differing, with_archive
from services.chassis.operations.protocol import RebuildRequest
from services.chassis.runtime.service import Service, open_container
from services.chassis.runtime.settings import Settings
from services.chassis.storage import search
from services.chassis.storage.documents import differing_fields, wrapped_key
from services.chassis.storage.mongo import Document
from services.chassis.usecase import Container

COLLECTION = "rebuilds"
"""The progress of unfinished rebuilds."""
_BATCH = 200


class Verdict(NamedTuple):
    """What is wrong with one entity: a broken history, or a state that is not its fold."""

    broken: str | None = None
    differs: str | None = None
    change: Document = {}  # noqa: RUF012 - never changed


@dataclass
class Found:
    """Counts, and the first ten ids of each kind with what is wrong; broken ones are left as they are."""

    looked_at: int = 0
    differing: int = 0
    mended: int = 0
    broken: int = 0
    ids: list[str] = field(default_factory=list)
    broken_ids: list[str] = field(default_factory=list)

    def note(self, id: str, verdict: Verdict) -> None:
        """Count one."""
        self.looked_at += 1
        self.differing += bool(verdict.differs)
        self.broken += bool(verdict.broken)
        for named, wrong in ((self.ids, verdict.differs), (self.broken_ids, verdict.broken)):
            if wrong and len(named) < EXAMPLES:
                named.append(f"{id}: {wrong}")


@dataclass
class Answer:
    """The result for one service, which may not have the type."""

    service: str
    kind: str
    kinds: Sequence[str]
    dry_run: bool
    found: Found
    resumed_after: str | None = None

    @property
    def clean(self) -> bool:
        """Whether the service has the type, and nothing in it is broken."""
        return self.kind in self.kinds and not self.found.broken

    def document(self) -> dict[str, Any]:
        """As JSON."""
        fields = asdict(self)
        found = fields.pop("found")
        return {**fields, **found, "clean": self.clean}


async def rebuild(service: Service, settings: Settings, wanted: RebuildRequest, say: Say) -> Answer:
    """Rebuild the states of a type. Raises Unavailable; the next run resumes there."""
    container = open_container(service, settings)
    answer = Answer(service.name, wanted.kind, [k.entity_type for k in service.entities], not wanted.write, Found())
    try:
        for kind in service.entities:
            if kind.entity_type == wanted.kind:
                await _Pass(container, kind, wanted, answer, say).run()
        return answer
    finally:
        await container.mongo.close()


class _Pass:
    """All entities of a type in the order of their ids; others may write meanwhile."""

    def __init__(
        self, container: Container, kind: type[Entity[Any]], wanted: RebuildRequest, answer: Answer, say: Say
    ) -> None:
        self._mongo, self._vault = container.mongo, container.vault
        self._kind, self._wanted, self._answer, self._say = kind, wanted, answer, say

    async def run(self) -> None:
        """Where an interrupted run stopped, if it is to be resumed."""
        where = {"_id": self._wanted.id} if self._wanted.id else await self._rest()
        async for document in with_archive(self._mongo, self._kind, where):
            await self._look(document)
            if self._answer.found.looked_at % _BATCH == 0:
                await self._note(document["_id"])
        if self._wanted.resumable:
            await self._mongo.delete(COLLECTION, {"_id": self._kind.entity_type})

    async def _rest(self) -> Document:
        begun = await self._mongo.find_one(COLLECTION, {"_id": self._kind.entity_type})
        if begun is None or self._wanted.again or not self._wanted.resumable:
            return {}
        self._answer.found, self._answer.resumed_after = Found(**begun["found"]), begun["after"]
        return {"_id": {"$gt": begun["after"]}}

    async def _note(self, after: str) -> None:
        found = self._answer.found
        self._say(f"{found.looked_at} checked, {found.differing} differ")
        if self._wanted.resumable:
            change = {"$set": {"after": after, "found": asdict(found)}}
            await self._mongo.update(COLLECTION, {"_id": self._kind.entity_type}, change, upsert=True)

    async def _look(self, document: Document) -> None:
        verdict = await self._judged(document)
        self._answer.found.note(document["_id"], verdict)
        if self._wanted.write and verdict.change:
            await self._write(document, verdict.change)

    async def _judged(self, document: Document) -> Verdict:
        """As ``judged``, with the blind tokens, which only the vault can make."""
        verdict, kind = judged(self._kind, document), self._kind
        if kind.terms.sealed is None or verdict.broken:
            return verdict
        terms = await search.terms(_folded(kind, document), document, self._vault)
        if terms[search.FIELD] == document.get(search.FIELD):
            return verdict
        return Verdict(differs=verdict.differs or "differs in terms", change={**verdict.change, **terms})

    async def _write(self, document: Document, change: Document) -> None:
        """Write with the version guard; after a conflict the entity is checked again."""
        id = document["_id"]
        while change:
            guard = {"_id": id, "version": document["version"]}
            if self._kind.terms.sealed:
                guard[search.FORGOTTEN] = document.get(search.FORGOTTEN)
            if await self._mongo.update(self._kind.collection(), guard, {"$set": change}):
                self._answer.found.mended += 1
                return
            async for document in with_archive(self._mongo, self._kind, {"_id": id}):
                change = (await self._judged(document)).change


def judged(kind: type[Entity[Any]], document: Document) -> Verdict:
    """What is wrong with a document with its whole history, and the ``$set`` that repairs its state."""
    if wrong := broken_history(document):
        return Verdict(broken=wrong)
    try:
        folded = _folded(kind, document)
    except Exception as error:  # whatever fails in a fold; its text may repeat what was stored
        return Verdict(broken=f"the history cannot be folded: {type(error).__name__}")
    if wrong := differing(kind, folded, document):
        terms = {search.FIELD: search.plain_terms(folded)} if kind.terms and not kind.terms.sealed else {}
        change = _mending(folded, document.get("state")) | {"under": list(folded.places())} | terms
        return Verdict(differs=wrong, change=change)
    return Verdict()


def _folded(kind: type[Entity[Any]], document: Document) -> Entity[Any]:
    fold = kind.fold(document["_id"], map(Recorded.load, document["history"]))
    folded = kind.model_validate(fold.model_dump())
    folded.set_key(wrapped_key(document))
    return folded


def _mending(folded: Entity[Any], old: Any) -> Document:
    return differing_fields(folded, old) if isinstance(old, dict) else {"state": folded.as_stored()}
