"""What the services promise each other; `python -m tests.contracts.snapshot` renews the snapshots."""

import copy
import inspect
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import pytest

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, Id, Private, Readable, Sealed
from services.chassis.domain.words import Words
from services.contracts.members.roles import Role
from tests.contracts import snapshot
from tests.contracts.corpus import SERVICES, all_events, events_of
from tests.contracts.snapshot import Snapshot

OLD = snapshot.current("requests")


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_that_was_published_is_broken(service: str) -> None:
    assert snapshot.broken(snapshot.stored(service), snapshot.current(service)) == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_snapshot_is_fresh(service: str) -> None:
    known = snapshot.stored(service)
    assert known == snapshot.current(service), "run: python -m tests.contracts.snapshot"


def test_names_of_reactions_are_unique_in_a_service() -> None:
    for service in SERVICES:
        names = snapshot.reactions_of(service)
        assert len(names) == len(set(names))


def test_a_copy_takes_exactly_the_events_that_it_is_said_to_follow() -> None:
    for kind in (kind for service in SERVICES for kind in snapshot.copies_of(service)):
        followed = get_type_hints(kind.apply)["event"]
        taken = get_args(followed) or (followed,)
        assert set(taken) == {*kind.events.values()}, kind
        assert set(kind.creates) <= set(taken), kind
        assert kind.creates, kind


NESTED = {"ItemPublished", "CalendarSet", "ShiftsAdded"}
"""An item is published as it is described: what it asks for and how it goes; a calendar is set as a whole; shifts are
entered all or none."""
WORDS = (Words, Words | None)
"""A text in several languages is one value."""


def test_every_event_is_a_sentence_flat_and_in_the_past_tense() -> None:
    for service in SERVICES:
        for name, kind in events_of(service).items():
            assert (inspect.getdoc(kind) or "").endswith("."), name
            fields = snapshot.current(service)["events"][name]["fields"]
            if name in NESTED:
                continue
            words = [n for n, field in kind.model_fields.items() if field.annotation in WORDS]
            flat = {n: str(field).replace("'", '"') for n, field in fields.items() if n not in words}
            nested = [n for n, field in flat.items() if '"properties"' in field]
            assert nested == [], f"{name} is not flat"


def readable(kind: type[Event]) -> list[str]:
    """The fields of an event that hold text in clear without saying why that may be."""
    return [name for name, field in kind.model_fields.items() if _unmarked([field.annotation, *field.metadata])]


def _unmarked(parts: Sequence[Any]) -> bool:
    """Whether a bare text stands among these types: not sealed, not one of a closed list, not marked as readable."""
    if any(isinstance(part, Readable) for part in parts):
        return False
    types = [part for part in parts if isinstance(part, type)]
    closed = any(issubclass(part, StrEnum) for part in types)  # `Role | str`: what a newer process may add
    inner = [_unmarked(get_args(part)) for part in parts if get_args(part) and get_origin(part) is not Literal]
    return (str in types and not closed) or any(inner)


def test_text_in_an_event_is_sealed_or_one_of_a_closed_list_or_readable_for_a_stated_reason() -> None:
    found = {kind.__name__: readable(kind) for kind in all_events().values()}
    assert {name: fields for name, fields in found.items() if fields} == {}
    assert issubclass(Sealed, str)


def test_a_plain_text_in_an_event_is_found_however_it_is_wrapped() -> None:
    class Said(Event):
        sealed: Sealed | None = None
        role: Role | str = Role.RESIDENT
        who: Id
        places: list[Code]
        plain: str
        maybe: str | None = None
        many: list[str]
        by_name: dict[str, str]
        wrapped: Annotated[str | None, Private] = None

    assert readable(Said) == ["plain", "maybe", "many", "by_name", "wrapped"]


def changed(change: str) -> Snapshot:
    """The snapshot of requests, but for one change."""
    new = copy.deepcopy(OLD)
    events = new["events"]
    match change:
        case "an event is gone":
            del events["CaseFiled"]
        case "a reaction is gone":
            new["reactions"] = new["reactions"][1:]
        case "a field is gone":
            del events["CaseFiled"]["fields"]["area"]
        case "a field has another type":
            events["CaseFiled"]["fields"]["area"] = {"type": "integer"}
        case "a new field is required":
            events["CaseFiled"]["fields"]["mood"] = {"type": "string"}
            events["CaseFiled"]["required"].append("mood")
        case "an optional field is required":
            events["CaseFiled"]["required"].append("address")
        case "an enumeration lost a value":
            events["CaseFiled"]["fields"]["system"]["anyOf"][0]["enum"].pop()
        case "another name on the wire":
            events["CaseFiled"]["type"] = "linli.requests.RequestFiled"
        case "a new optional field":
            events["CaseFiled"]["fields"]["mood"] = {"type": "string"}
        case "an enumeration gained a value":
            events["CaseFiled"]["fields"]["system"]["anyOf"][0]["enum"].append("weather")
        case "a field was split, in the next schema":
            fields = events["CaseFiled"]["fields"]
            fields["area_code"] = fields["area_name"] = fields.pop("area")
            events["CaseFiled"]["required"].append("area_code")
            events["CaseFiled"]["schema"] += 1
        case "a field is gone, in an older schema":
            del events["CaseFiled"]["fields"]["area"]
            events["CaseFiled"]["schema"] -= 1
        case "a new event":
            events["CasePainted"] = events["CaseFiled"]
    return new


@pytest.mark.parametrize(
    "change",
    [
        "an event is gone",
        "a reaction is gone",
        "a field is gone",
        "a field has another type",
        "a new field is required",
        "an optional field is required",
        "an enumeration lost a value",
        "another name on the wire",
        "a field is gone, in an older schema",
    ],
)
def test_what_would_break_others_is_found(change: str) -> None:
    assert snapshot.broken(OLD, changed(change)) != []


ADDED = ["a new optional field", "an enumeration gained a value", "a new event"]


@pytest.mark.parametrize("change", [*ADDED, "a field was split, in the next schema"])
def test_what_is_only_added_or_has_a_schema_of_its_own_is_allowed(change: str) -> None:
    assert snapshot.broken(OLD, changed(change)) == []
