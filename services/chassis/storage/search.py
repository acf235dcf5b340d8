"""The words by which documents are found: tokens of one and two characters, blind where the field is sealed."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from services.chassis.domain.entity import Entity
from services.chassis.domain.spelling import normal
from services.chassis.domain.words import Words
from services.chassis.storage.documents import forgets
from services.chassis.storage.master_key import MasterKey
from services.chassis.storage.mongo import Document, Mongo, Put
from services.chassis.storage.vault import Vault

E = TypeVar("E", bound=Entity[Any])

FIELD = "terms"
"""Where a document has its tokens."""
FORGOTTEN = "forgotten"
"""The mark of a document whose subject was erased: it gets no blind token again."""
_TEXT, _VALUE, _SEALED = "t:", "v:", "s:"


def value_tokens(field: str, value: str, places: Sequence[str]) -> list[str]:
    """The token of a value, or one for each of these places: a compound index takes only one list."""
    token = f"{_VALUE}{field}={value}"
    return [f"{token}@{place}" for place in places] or [token]


def plain_terms(entity: Entity[Any]) -> list[str]:
    """The tokens of what is not sealed, sorted."""
    terms = type(entity).terms
    found = {f"{_TEXT}{token}" for text in _texts(entity, terms.text) for token in _tokens(normal(text))}
    for field in terms.values:
        for value in _values_at(entity, field):
            found |= {*value_tokens(field, value, ()), *value_tokens(field, value, entity.places())}
    return sorted(found)


def found_by(entity: Entity[Any]) -> Document:
    """The search tokens of a document that is written without a vault; TypeError where a sealed field is searched."""
    if entity.terms.sealed is not None:
        raise TypeError(
            f"{type(entity).__name__} is written by use cases only: blind tokens need the key of its subject"
        )
    return {FIELD: plain_terms(entity)} if entity.terms else {}


async def terms(entity: Entity[Any], before: Document, vault: Vault | None) -> Document:
    """All search tokens of a document, for its write. KeyNotHere.

    Of a sealed field there are none where its subject is erased, or was forgotten in the document ``before``.
    """
    field = entity.terms.sealed
    if field is None or FORGOTTEN in before:
        return {FIELD: plain_terms(entity)} if entity.terms else {}
    if vault is None:
        raise RuntimeError(f"{type(entity).__name__} is searched by a sealed field: the store needs a vault")
    pairs = {*_pairs(normal(await _opened(entity, field, vault) or ""))}
    return {FIELD: [*plain_terms(entity), *sorted(_blind(vault.master, field, pair) for pair in pairs)]}


def unforgotten(entity: Entity[Any], before: Document) -> Document:
    """The condition that nobody was forgotten since a document was read: blind tokens must not come back."""
    return {FORGOTTEN: before.get(FORGOTTEN)} if entity.terms.sealed else {}


def asked(kind: type[Entity[Any]], words: str, master: MasterKey) -> list[str]:
    """The tokens of these words: a document with the words has all of them. Empty if no token can be made.

    Of a sealed field a single character finds nothing: how often each occurs would tell which one it is.
    """
    text, sealed = normal(words), kind.terms.sealed
    if sealed is not None:
        return [_blind(master, sealed, pair) for pair in dict.fromkeys(_pairs(text))]
    return [f"{_TEXT}{token}" for token in (dict.fromkeys(_pairs(text)) or text)]


def keeps(entity: Entity[Any], before: Document) -> bool:
    """Whether a change leaves all tokens as they are: to make blind ones again would cost every step of a case."""
    terms = entity.terms
    if not entity.own_key or terms.sealed is None or terms.text or terms.values:
        return False
    return getattr(entity, terms.sealed) == before["state"].get(terms.sealed) and not forgets(entity, before)


async def having(entities: Sequence[E], words: str, vault: Vault) -> list[E]:
    """Those that have the words in one of their fields: tokens alone do not give their order in the text.

    One query loads all keys. What is sealed with a key that is not here yet is passed over; the search does not fail.
    """
    wanted = normal(words)
    missing = await vault.prefetch_keys({subject for entity in entities for subject in _needed(entity)})
    readable = [entity for entity in entities if missing.isdisjoint(_needed(entity))]
    return [entity for entity in readable if any(wanted in normal(text) for text in _looked_at(entity, vault))]


async def forget(mongo: Mongo, kinds: Sequence[type[Entity[Any]]], subjects: Sequence[str]) -> None:
    """Take away the blind tokens of people whose keys are gone, for good. Idempotent."""
    rest = {"$filter": {"input": {"$ifNull": [f"${FIELD}", []]}, "cond": {"$ne": [_head(), _SEALED]}}}
    change: list[Document] = [{"$set": {FIELD: rest, FORGOTTEN: True}}]
    for kind in kinds if subjects else ():
        if kind.terms.sealed is not None and not kind.own_key:  # those go with the key, in one write
            where = {kind.stored_name(kind.terms.subject): {"$in": [*subjects]}}
            async for documents in mongo.each(kind.collection(), where, {"_id": 1}):
                await mongo.bulk(kind.collection(), [Put({"_id": one["_id"]}, change) for one in documents])


def plain(document: Document) -> list[str]:
    """The tokens of a document that are not blind."""
    return [token for token in document.get(FIELD, ()) if not token.startswith(_SEALED)]


def _head() -> Document:
    return {"$substrCP": ["$$this", 0, len(_SEALED)]}


def _needed(entity: Entity[Any]) -> Sequence[str]:
    """The subject whose key opens the sealed field of an entity, if it has one and no key of its own."""
    field = entity.terms.sealed
    return entity.key_subjects()[:1] if field is not None and getattr(entity, field) is not None else ()


def _looked_at(entity: Entity[Any], vault: Vault) -> list[str]:
    """The texts in which words are looked for; the keys that are needed are loaded."""
    field = entity.terms.sealed
    if field is None:
        return [*_texts(entity, entity.terms.text)]
    if entity.own_key:
        return [vault.open_own(getattr(entity, field), entity, field) or ""]
    return [vault.open(getattr(entity, field), subject, field) or "" for subject in _needed(entity)]


async def _opened(entity: Entity[Any], field: str, vault: Vault) -> str | None:
    sealed = getattr(entity, field)
    if sealed is None:
        return None
    if entity.own_key:
        return vault.open_own(sealed, entity, field)
    await vault.ensure_keys(entity.subjects())
    return vault.open(sealed, entity.subjects()[0], field)


def _blind(master: MasterKey, field: str, pair: str) -> str:
    return f"{_SEALED}{master.blind(f'search:{field}', pair)[:20]}"


def _tokens(text: str) -> set[str]:
    return {*text, *_pairs(text)}


def _pairs(text: str) -> list[str]:
    return [text[start : start + 2] for start in range(len(text) - 1)]


def _texts(entity: Entity[Any], fields: Sequence[str]) -> Iterator[str]:
    for field in fields:
        yield from _values_at(entity, field)


def _values_at(entity: Entity[Any], path: str) -> list[str]:
    value: Any = entity
    for name in path.split("."):
        value = getattr(value, name, None)
    if value is None:
        return []
    if isinstance(value, Words):
        return list(value.texts().values())
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
