"""What the services promise each other; `python -m tests.contracts.snapshot` renews the snapshots."""

import copy
import inspect
from typing import get_args, get_type_hints

import pytest

from services.chassis.domain.values import Sealed
from tests.contracts import snapshot
from tests.contracts.corpus import SERVICES, events_of
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
        taken = get_args(get_type_hints(kind.apply)["event"])
        assert set(taken) == {*kind.events.values()}, kind
        assert set(kind.creates) <= set(taken), kind
        assert kind.creates, kind


NESTED = {"ItemPublished"}
"""An item is published as it is described: what it asks for and how it goes, each in two languages."""


def test_every_event_is_a_sentence_flat_and_in_the_past_tense() -> None:
    for service in SERVICES:
        for name, kind in events_of(service).items():
            assert (inspect.getdoc(kind) or "").endswith("."), name
            fields = snapshot.current(service)["events"][name]["fields"]
            if name in NESTED:
                continue
            nested = [n for n, field in fields.items() if '"properties"' in str(field).replace("'", '"')]
            assert nested == [], f"{name} is not flat"


PERSONAL = {"name_of_person", "phone", "address", "email", "text", "title", "body", "note", "remark", "answer"}


def test_personal_data_and_free_text_is_sealed() -> None:
    for service in SERVICES:
        for name, kind in events_of(service).items():
            for field, info in kind.model_fields.items():
                if field in PERSONAL:
                    assert "Sealed" in str(info.annotation), f"{name}.{field}"
    assert issubclass(Sealed, str)


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
