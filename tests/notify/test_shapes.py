"""A delivery that was given up before its event had two fields for why: it loads, is told right, and is rebuilt."""

from typing import Any

from services.chassis.domain.events import canonical_bytes, chained
from services.chassis.operations.answering import quietly
from services.chassis.operations.ledger.rebuild import rebuild
from services.chassis.operations.protocol import RebuildRequest
from services.chassis.storage.mongo import Document
from services.contracts.notify.messages import DeliveryGivenUp, GivenUpBecause, Via
from services.notify.app import service
from services.notify.messages.model import Delivery, DeliveryState, Message
from services.notify.messages.queries import check_messages
from tests.notify.post import Post, post
from tests.support.world import World

__all__ = ["post"]


async def given_up_in_the_first_shape(post: Post, reason: str, attempt: int) -> str:
    """A message as a process of the version before has left it."""
    id = await post.write(Via.SMS)
    before = await post.container.mongo.find_one(Message.collection(), {"_id": id})
    assert before is not None
    data = {"channel": "sms", "attempt": attempt, "reason": reason}
    (written,) = before["history"]
    entry: Document = {**written, "id": f"{id}:2", "version": 2, "cause": "timer:x", "data": data, "private": {}}
    entry |= {"type": DeliveryGivenUp.type_name(), "schema": 1}
    entry["hash"] = chained(before["hash"], canonical_bytes({k: v for k, v in entry.items() if k != "hash"}))
    delivery: dict[str, Any] = {"state": "given_up", "attempt": attempt, "reason": reason}
    state = {"state.deliveries.sms": delivery, "state.text": None, "state.phone": None, "state.next_sms_at": None}
    change = {"$set": {**state, "version": 2, "hash": entry["hash"]}, "$push": {"history": entry}}
    assert await post.container.mongo.update(Message.collection(), {"_id": id}, change) == 1
    return id


async def test_what_was_given_up_in_the_first_shape_is_read_and_rebuilt(post: Post, world: World) -> None:
    late = await given_up_in_the_first_shape(post, "sms 503, then expired", 1)
    old = (await post.found(late)).deliveries["sms"]
    assert (old.state, old.because, old.reason) == (DeliveryState.GIVEN_UP, None, "sms 503, then expired")
    lines = await check_messages(post.container)
    assert [line.examples for line in lines] == [[], []]
    answer = await rebuild(service, world.settings(), RebuildRequest(kind="message", write=True), quietly)
    assert answer.found.ids == [f"{late}: differs in deliveries"]
    new = Delivery(state=DeliveryState.GIVEN_UP, attempt=1, because=GivenUpBecause.EXPIRED, reason="sms 503")
    assert (await post.found(late)).deliveries["sms"] == new


async def test_an_attempt_that_was_never_made_is_not_counted_in_either_shape(post: Post) -> None:
    await given_up_in_the_first_shape(post, "not wanted", 0)
    lines = await check_messages(post.container)
    assert [line.examples for line in lines] == [[], []]
