"""Checks for the ledger: one message for each event and recipient, and complete records of its deliveries."""

from collections.abc import Sequence

from services.chassis.domain.checks import CheckResult
from services.chassis.domain.events import Event, Recorded, decode
from services.chassis.domain.values import id_from
from services.chassis.storage import archive
from services.chassis.storage.mongo import Document
from services.chassis.usecase import Container
from services.contracts.notify.messages import DeliveryFailed, DeliveryGivenUp, DeliveryMade
from services.notify.messages.model import DeliveryState, Message

_ENDS = (DeliveryMade, DeliveryGivenUp)

Try = DeliveryFailed | DeliveryMade | DeliveryGivenUp


async def check_messages(container: Container) -> list[CheckResult]:
    """One message for each event and recipient, by its id, which is also the key that providers use.

    For each channel: attempts without gap, nothing after the end, no delivery without an attempt.
    """
    messages, deliveries = CheckResult("L8", "messages"), CheckResult("L8", "deliveries")
    async for documents in container.mongo.each(Message.collection(), {}):
        for document in documents:
            history = await archive.whole(container.mongo, Message.collection(), document)
            _judge_message(messages, document, history[0]["cause"])
            _judge_deliveries(deliveries, document, [decode(Message.events, Recorded.load(e)) for e in history])
    return [messages, deliveries]


def _judge_message(line: CheckResult, document: Document, cause: str) -> None:
    state = document["state"]
    line.count("messages")
    if not cause.startswith(f"event:{state['because_of']}:"):
        line.breach(f"{document['_id']}: was written because of {cause}, it says because of {state['because_of']}")
    elif document["_id"] != id_from(Message.entity_type, f"{cause}:{state['person_id']}"):
        line.breach(f"{document['_id']}: its id is not that of {cause} and its recipient")


def _judge_deliveries(line: CheckResult, document: Document, history: Sequence[Event]) -> None:
    for via, delivery in document["state"]["deliveries"].items():
        tries = [event for event in history if isinstance(event, Try) and event.channel == via]
        line.count(delivery["state"])
        wrong = _wrong(tries)
        if wrong:
            line.breach(f"{document['_id']} by {via}: {wrong}")
        elif (delivery["state"] != DeliveryState.WAITING) != bool(tries and isinstance(tries[-1], _ENDS)):
            line.breach(f"{document['_id']} by {via}: is {delivery['state']}, its history says otherwise")


def _wrong(tries: Sequence[Try]) -> str | None:
    if any(isinstance(event, _ENDS) for event in tries[:-1]):
        return "was tried after its end"
    # A channel that gave no answer was given up without another attempt.
    attempts = [e.attempt for e in tries if not isinstance(e, DeliveryGivenUp) or e.reason is not None]
    return None if attempts == list(range(1, len(attempts) + 1)) else f"attempts {attempts}"
