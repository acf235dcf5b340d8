"""Deliveries: tried with the same key until taken, given up visibly, never too late, never twice for one attempt."""

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.chassis.domain.values import now
from services.chassis.schedule.timers import sweep
from services.contracts.notify.messages import GivenUpBecause, Via
from services.notify.channels.model import SendFailed
from services.notify.inboxes.commands import read_message
from services.notify.messages.model import Backoff, Delivery, DeliveryState
from tests.notify.conftest import eventually, signed_in
from tests.notify.post import PHONE, SMS, URGENT, WANG, WORDS, Post, Recorder, opened, post, sweeps, with_parts
from tests.support.calls import CALLS
from tests.support.world import World

__all__ = ["post"]


async def test_a_message_that_is_due_goes_out_once_with_a_key_of_its_own(post: Post) -> None:
    id = await post.write(Via.SMS)
    await sweeps(post.container, SMS, 3)
    (notice,) = post.sms.got
    assert (notice.to, notice.text, notice.key) == (PHONE, WORDS, f"{id}:sms")
    message = await post.found(id)
    assert message.deliveries["sms"].state is DeliveryState.MADE
    assert message.text is None
    assert await post.events(id) == ["MessageWritten", "DeliveryMade"]


async def test_an_attempt_that_fails_is_repeated_with_the_same_key(post: Post) -> None:
    post.sms.answers = [SendFailed("sms 503"), SendFailed("sms 503"), None]
    id = await post.write(Via.SMS)
    await sweeps(post.container, SMS, 5)
    assert {notice.key for notice in post.sms.got} == {f"{id}:sms"}
    assert await post.events(id) == ["MessageWritten", "DeliveryFailed", "DeliveryFailed", "DeliveryMade"]
    assert (await post.found(id)).deliveries["sms"].attempt == 3


async def test_after_eight_attempts_it_is_given_up_visibly(post: Post) -> None:
    post.sms.answers = [SendFailed("sms 503") for _ in range(20)]
    before = counted("given_up")
    id = await post.write(Via.SMS)
    with capture_logs() as logged:
        await sweeps(post.container, SMS, 12)
    assert len(post.sms.got) == 8
    delivery = (await post.found(id)).deliveries["sms"]
    assert (delivery.state, delivery.attempt) == (DeliveryState.GIVEN_UP, 8)
    assert (delivery.because, delivery.reason) == ("failed", "sms 503")
    assert counted("given_up") == before + 1
    assert [entry["message"] for entry in logged if "given up" in entry["event"]] == [id]
    assert not [secret for secret in (PHONE, WORDS) if secret in repr(logged)]


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("linli_messages_total", {"channel": "sms", "outcome": outcome}) or 0.0


async def test_a_refusal_for_good_is_given_up_at_once(post: Post) -> None:
    post.sms.answers = [SendFailed("sms rejected blocked", for_good=True)]
    id = await post.write(Via.SMS)
    await sweeps(post.container, SMS, 2)
    assert await post.events(id) == ["MessageWritten", "DeliveryGivenUp"]


async def test_a_provider_that_asks_for_time_gets_it(post: Post) -> None:
    post.sms.answers = [SendFailed("sms 429", retry_after=timedelta(minutes=7))]
    id = await post.write(Via.SMS)
    await sweeps(post.container, SMS, 3)
    again = (await post.found(id)).next_sms_at
    assert again is not None
    assert timedelta(minutes=6) < again - now() <= timedelta(minutes=7)


async def test_a_sign_in_code_past_its_time_is_given_up_without_an_attempt_and_forgotten(post: Post) -> None:
    id = await post.write(Via.SMS, happened_at=now() - timedelta(minutes=6), expires_at=now() - timedelta(minutes=1))
    await sweeps(post.container, SMS, 2)
    message = await post.found(id)
    assert post.sms.got == []
    assert message.deliveries["sms"] == Delivery(state=DeliveryState.GIVEN_UP, because=GivenUpBecause.EXPIRED)
    assert (message.text, message.phone) == (None, None)


async def test_what_would_come_too_late_is_not_tried_again(post: Post) -> None:
    post.sms.answers = [SendFailed("sms 503", retry_after=timedelta(minutes=10))]
    id = await post.write(Via.SMS, expires_at=now() + timedelta(minutes=5))
    await sweeps(post.container, SMS, 1)
    delivery = (await post.found(id)).deliveries["sms"]
    assert (delivery.attempt, delivery.because, delivery.reason) == (1, "expired", "sms 503")


async def test_eight_messages_cost_no_more_round_trips_than_one(post: Post) -> None:
    """The look, recipients with their preferences, the budgets of the day, the outcomes, and when the next is due."""
    for many in (1, 8):
        for number in range(many):
            await post.write(Via.SMS, because_of=f"case_{number}:{many}")
        with CALLS.counted() as calls:
            await sweep(SMS, post.container)
        assert calls == {"aggregate": 2, "find": 1, "update": 2}
    assert len(post.sms.got) == 9


async def test_a_message_read_while_it_is_sent_is_not_sent_twice(post: Post) -> None:
    id = await post.write(Via.SMS)
    post.sms.meanwhile = lambda: read_message(post.container.context(signed_in(WANG), "test:read"), id)
    await sweeps(post.container, SMS, 2)
    assert len(post.sms.got) == 1
    assert await post.events(id) == ["MessageWritten", "MessageRead", "DeliveryMade"]


class Crash(BaseException):
    """The process ends here."""


async def test_a_crash_between_sending_and_noting_sends_again_with_the_same_key(post: Post) -> None:
    id = await post.write(Via.SMS)

    async def crash() -> None:
        post.sms.meanwhile = None
        raise Crash

    post.sms.meanwhile = crash
    with pytest.raises(BaseExceptionGroup):
        await sweep(SMS, post.container)
    assert await post.events(id) == ["MessageWritten"]
    await sweep(SMS, post.container)
    assert [notice.key for notice in post.sms.got] == [f"{id}:sms"] * 2
    assert await post.events(id) == ["MessageWritten", "DeliveryMade"]


async def test_an_urgent_text_does_not_stand_behind_the_others(post: Post) -> None:
    answers = asyncio.Event()
    post.sms.meanwhile = answers.wait
    for number in range(9):
        await post.write(Via.SMS, because_of=f"case_{number}:5")
    hanging = asyncio.create_task(sweep(SMS, post.container))

    async def all_busy() -> bool:
        return len(post.sms.got) == 8

    await eventually(all_busy)
    post.sms.meanwhile = None
    code = await post.write(Via.SMS, because_of="code_1:1", urgent=True)
    await sweep(URGENT, post.container)
    assert await post.events(code) == ["MessageWritten", "DeliveryMade"]
    answers.set()
    await hanging
    assert [notice.key for notice in post.sms.got].count(f"{code}:sms") == 1


async def test_two_workers_at_once_note_one_outcome(post: Post) -> None:
    id = await post.write(Via.SMS)
    await asyncio.gather(sweep(SMS, post.container), sweep(SMS, post.container))
    assert {notice.key for notice in post.sms.got} == {f"{id}:sms"}
    assert await post.events(id) == ["MessageWritten", "DeliveryMade"]


async def test_a_sender_that_breaks_is_a_failed_attempt_whose_words_are_not_kept(post: Post) -> None:
    async def broken() -> None:
        raise ValueError(f"cannot send {WORDS} to {PHONE}")

    post.sms.meanwhile = broken
    id = await post.write(Via.SMS)
    with capture_logs() as logged:
        await sweep(SMS, post.container)
    assert (await post.found(id)).deliveries["sms"].reason == "failed: ValueError"
    assert logged
    assert not [secret for secret in (PHONE, WORDS) if secret in repr(logged)]


async def test_a_channel_that_nobody_set_up_is_given_up_with_that_reason(world: World) -> None:
    container = await opened(world, with_parts(), sms_spool=None)
    post = Post(container, Recorder())
    id = await post.write(Via.SMS)
    await sweep(SMS, container)
    assert (await post.found(id)).deliveries["sms"].reason == "not configured"
    await container.mongo.close()


def test_the_pauses_grow_from_seconds_to_an_hour() -> None:
    pauses = [Backoff().after(attempt) for attempt in range(1, 9)]
    seconds = [pause and pause.total_seconds() for pause in pauses]
    assert seconds == [5, 30, 120, 600, 3600, 3600, 3600, None]


async def test_nothing_is_texted_to_a_phone_that_takes_no_text_messages_but_mail_goes_out(post: Post) -> None:
    landline = post.container.vault.seal("+864708123456;ext=801", WANG, "phone")
    known = {"state.voice_only": True, "state.phone": landline}
    await post.container.mongo.update("copies_person", {"_id": WANG}, {"$set": known})
    id = await post.write(Via.SMS, Via.EMAIL)
    await sweeps(post.container, SMS, 3)
    assert post.sms.got == []
    message = await post.found(id)
    delivery = message.deliveries["sms"]
    assert (delivery.state, delivery.because, delivery.attempt) == (DeliveryState.GIVEN_UP, "voice_only", 0)
    assert message.deliveries["email"].state is DeliveryState.WAITING


async def test_a_notice_to_somebody_who_lost_their_phone_is_given_up(post: Post) -> None:
    await post.container.mongo.update("copies_person", {"_id": WANG}, {"$set": {"state.phone": None}})
    id = await post.write(Via.SMS)
    await sweeps(post.container, SMS, 3)
    assert post.sms.got == []
    delivery = (await post.found(id)).deliveries["sms"]
    assert (delivery.state, delivery.because, delivery.reason) == (DeliveryState.GIVEN_UP, "failed", "no phone")


async def test_a_covered_message_keeps_its_short_text_for_the_line_of_the_inbox(post: Post) -> None:
    for covered in (True, False):
        id = await post.write(Via.SMS, covered=covered, because_of=f"case_{covered}:5")
        await sweeps(post.container, SMS, 2)
        message = await post.found(id)
        assert message.deliveries["sms"].state is DeliveryState.MADE
        assert (message.text is not None, message.phone) == (covered, None)
