"""Entities, which record their events, and copies of other services' entities."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NoReturn, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, PrivateAttr

from services.chassis.domain.events import Event, Recorded, by_type, decode
from services.chassis.domain.refusals import Refusal
from services.chassis.domain.scope import ALL, NONE, Actor, Visible

COPIES = "copies_"
"""How the collections of copies begin."""
_STATE = "state."


@dataclass(frozen=True, slots=True)
class Index:
    """One index of a type, by the names of its fields, each ascending.

    ``unique``: no two entities have the same value of this one field, which the first event sets for ever. In a sharded
    collection the index is built without it, since none spans the shards: ``Claims.unique`` keeps the promise in both.
    """

    fields: tuple[str, ...]
    sparse: bool = False
    unique: bool = False
    above: Any = None
    """Only entities of which the first field is above this value: the others cost nothing."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What of an entity can be found by words, or by one of several values: kept as tokens in its document."""

    text: tuple[str, ...] = ()
    """Plain fields whose words are searched, of ``Words`` those of every language."""
    values: tuple[str, ...] = ()
    """Lists of which each value can be asked for."""
    sealed: str | None = None
    """A sealed field whose words are searched by those who may read it; sealed under its own name."""
    subject: str = "id"
    """The field with the id of the person under whose key it is sealed."""

    def __bool__(self) -> bool:
        return bool(self.text or self.values or self.sealed)


class Stored(BaseModel):
    """The ``state`` of a document: an id, a version, and fields that events change."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    entity_type: ClassVar[str]
    indexes: ClassVar[tuple[Index, ...]] = ()
    events: ClassVar[dict[str, type[Event]]] = {}
    terms: ClassVar[Terms] = Terms()

    own_key: ClassVar[bool] = False
    """Whether each entity of this type has a key of its own for its sealed fields, stored in its document, instead of a
    person's key."""

    id: str
    version: int = 0

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "entity_type" in cls.__dict__:  # not for the generic classes that pydantic makes in between
            cls.events = by_type(_event_classes(cls))
            for field in (*cls.terms.text, *cls.terms.values, *filter(None, [cls.terms.sealed])):
                _expect_field(cls, field)
            for index in cls.indexes:
                cls.where(**dict.fromkeys(index.fields))
                if index.unique and (len(index.fields) != 1 or index.sparse):
                    raise TypeError(f"{cls.__name__}: a unique index has one field, which every entity has")

    @classmethod
    def collection(cls) -> str:
        """The collection of this entity type."""
        return f"{cls.entity_type}s"

    @classmethod
    def stored_name(cls, field: str) -> str:
        """The name of a field in documents; TypeError where there is no such field."""
        if field in ("id", "_id"):
            return "_id"
        if field in ("version", "under"):
            return field
        _expect_field(cls, field)
        return f"{_STATE}{field}"

    @classmethod
    def where(cls, **conditions: Any) -> dict[str, Any]:
        """The condition that these fields have these values, by their names in documents; TypeError as above."""
        return {cls.stored_name(field): value for field, value in conditions.items()}

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Which of them an actor may see; only the system itself, unless the type says more."""
        return ALL if actor.has("system") else NONE

    def places(self) -> tuple[str, ...]:
        """The area codes from the city down to where this belongs; lists and permissions use them."""
        return ()

    def subjects(self) -> tuple[str, ...]:
        """Whose keys seal the fields of this object."""
        return ()

    def key_subjects(self) -> tuple[str, ...]:
        """The subjects whose keys open its sealed fields: its people, or nobody where it has a key of its own."""
        return () if self.own_key else self.subjects()

    def as_stored(self) -> dict[str, Any]:
        """The fields as they are stored, without id and version."""
        return self.model_dump(exclude={"id", "version"})

    @classmethod
    def blank(cls, id: str) -> Self:
        """An entity without events: its first event sets its fields."""
        return cls.model_construct(id=id, version=0)  # type: ignore[return-value]  # the mypy plugin loses Self


E = TypeVar("E", bound=Event)


class Entity(Stored, Generic[E]):
    """An object with an identity. Its state is the fold of its history and changes only by events."""

    _fresh: list[Event] = PrivateAttr(default_factory=list)
    _refused: Refusal | None = PrivateAttr(default=None)
    _wrapped_key: bytes | None = PrivateAttr(default=None)

    def apply(self, event: E) -> None:
        """Fold an event into the state. Checks nothing: it has happened."""
        raise NotImplementedError

    def record(self, event: E) -> None:
        """Record an event; it is stored, and later published, when the use case succeeds."""
        self.apply(event)
        self.fresh.append(event)

    def refuse(self, event: E, refusal: Refusal) -> NoReturn:
        """Record an event and refuse: the event is stored although the use case fails."""
        self.record(event)
        self._refused = refusal
        raise refusal

    def forget(self, event: E) -> None:
        """Record an event and delete the entity's own key: its sealed fields can never be opened again."""
        self.record(event)
        self._wrapped_key = None

    @property
    def wrapped_key(self) -> bytes | None:
        """The key of its own, wrapped; None where it was forgotten, or where its kind has none."""
        return self._wrapped_key

    def set_key(self, wrapped: bytes | None) -> None:
        """Give it the key that its document holds, or that its first write will put there."""
        self._wrapped_key = wrapped

    @property
    def fresh(self) -> list[Event]:
        """The events since it was loaded."""
        fresh: list[Event] = (self.__pydantic_private__ or {})["_fresh"]  # access by attribute takes ten times as long
        return fresh

    def keeps(self, refusal: BaseException) -> bool:
        """Whether this refusal was raised by ``refuse``."""
        return self._refused is refusal

    @classmethod
    def fold(cls, id: str, history: Iterable[Recorded]) -> Self:
        """The entity that its history describes."""
        entity = cls.blank(id)
        for recorded in history:
            entity.apply(decode(cls.events, recorded))  # type: ignore[arg-type]
            entity.version = recorded.version
        return entity


class Copy(Stored, Generic[E]):
    """The state of another service's entity, at that entity's version. Follows exactly the events of ``E``.

    A copy is never deleted: where the entity ends, it is ``gone``.
    """

    creates: ClassVar[tuple[type[Event], ...]]
    """Which of its events may be the first of an entity; any other of an unknown entity is a failure."""

    gone: bool = False

    @classmethod
    def collection(cls) -> str:
        """Copies are kept apart from the entities of the service."""
        return f"{COPIES}{cls.entity_type}"

    def apply(self, event: E) -> None:
        """Take an event of the source into the copy. ``version`` is the version of that event already."""
        raise NotImplementedError


def _event_classes(cls: type[BaseModel]) -> tuple[type[Event], ...]:
    for base in cls.__mro__:
        arguments = getattr(base, "__pydantic_generic_metadata__", {}).get("args", ())
        if arguments and not isinstance(arguments[0], TypeVar):
            return get_args(arguments[0]) or (arguments[0],)
    return ()


def field_name(stored_name: str) -> str:
    """The field that a name in documents stands for."""
    return "id" if stored_name == "_id" else stored_name.removeprefix(_STATE)


def _expect_field(kind: type[BaseModel], path: str) -> None:
    """TypeError where a model has no field of this name, or none of this path within another."""
    name, _, rest = path.partition(".")
    if name not in kind.model_fields:
        raise TypeError(f"{kind.__name__} has no field {path}")
    if rest:
        annotation = kind.model_fields[name].annotation
        inner = [one for one in (annotation, *get_args(annotation)) if isinstance(one, type)]
        models = [one for one in inner if issubclass(one, BaseModel)]
        if not models:
            raise TypeError(f"{name} of {kind.__name__} has no fields")
        _expect_field(models[0], rest)
