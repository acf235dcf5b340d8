"""Every shape that was ever recorded reads as today's event; `python -m tests.contracts.snapshot` adds a new one."""

from typing import Any

import pytest

from services.chassis.domain.events import Event
from services.contracts.notify.messages import DeliveryGivenUp, GivenUpBecause
from tests.contracts import corpus
from tests.contracts.corpus import Shape

EXPECTED: dict[str, list[Event]] = {
    "linli.notify.DeliveryGivenUp.1": [
        DeliveryGivenUp(channel="sms", attempt=8, because=GivenUpBecause.FAILED, reason="sms 503"),
        DeliveryGivenUp(channel="sms", attempt=3, because=GivenUpBecause.EXPIRED, reason="sms 503"),
        DeliveryGivenUp(channel="sms", attempt=0, because=GivenUpBecause.EXPIRED),
        DeliveryGivenUp(channel="email", attempt=2, because=GivenUpBecause.NOT_WANTED),
        DeliveryGivenUp(channel="email", attempt=1, because=GivenUpBecause.FAILED, reason="no phone"),
    ]
}
"""What the examples of each older shape are today."""

EVENTS = corpus.all_events()


def named(shape: Shape) -> str:
    return f"{shape['type']}.{shape['schema']}"


def read(shape: Shape) -> list[Event]:
    """Its examples, as a history reads them."""
    kind = EVENTS[shape["type"]]
    return [kind.parse_upcast(shape["schema"], {**one["data"], **one["private"]}) for one in shape["examples"]]


@pytest.mark.parametrize("shape", corpus.shapes(), ids=named)
def test_what_was_ever_recorded_is_read(shape: Shape) -> None:
    events = read(shape)
    assert events
    if shape["schema"] == EVENTS[shape["type"]].schema_version:
        for event, one in zip(events, shape["examples"], strict=True):
            said: dict[str, Any] = event.model_dump(mode="json")
            assert one["data"].items() <= said.items()
            assert one["private"].items() <= said.items()
    else:
        assert events == EXPECTED[named(shape)]


def test_every_event_has_each_of_its_shapes_in_the_corpus() -> None:
    kept = {named(shape) for shape in corpus.shapes()}
    wanted = {f"{type}.{n}" for type, kind in EVENTS.items() for n in range(1, kind.schema_version + 1)}
    assert wanted - kept == set(), "run: python -m tests.contracts.snapshot"
    assert kept - wanted == set(), "what was recorded once stays in histories and topics: its class may not go"


def test_every_example_says_what_there_was_to_say() -> None:
    for shape in corpus.shapes():
        kind = EVENTS[shape["type"]]
        if shape["schema"] == 1 == kind.schema_version:
            required = {name for name, one in kind.model_fields.items() if one.is_required()}
            assert all(required <= {*one["data"], *one["private"]} for one in shape["examples"]), named(shape)
