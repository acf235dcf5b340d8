"""Wishes: what somebody wants when a message goes out counts, not what they wanted when it was written."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.chassis.domain.values import now
from services.chassis.schedule.timers import sweep
from services.contracts.notify.messages import Via
from services.notify.channels.model import SendFailed
from services.notify.messages.model import DeliveryState
from services.notify.messages.queries import check_messages
from services.notify.preferences.commands import SetPreferences, set_preferences
from tests.notify.conftest import signed_in
from tests.notify.post import ADDRESS, MAIL, SMS, URGENT, WANG, Post, post

__all__ = ["post"]


async def choose(post: Post, *channels: Via, quiet: tuple[datetime, datetime] | None = None, **of: str) -> None:
    zone = post.container.dependencies[ZoneInfo]
    hours = [f"{at.astimezone(zone):%H:%M}" for at in quiet or ()]
    choice = SetPreferences(channels=list(channels), **dict(zip(("quiet_from", "quiet_to"), hours, strict=False)), **of)
    await set_preferences(post.container.context(signed_in(WANG), f"test:{choice}"), choice)


async def kept(post: Post) -> bool:
    """Whether the ledger finds every delivery as it was noted."""
    return not any(line.breaches for line in await check_messages(post.container))


async def test_what_comes_to_its_turn_in_quiet_hours_waits_for_their_end_and_costs_no_attempt(post: Post) -> None:
    id = await post.write(Via.SMS)
    begin, end = now() - timedelta(hours=1), now() + timedelta(hours=2)
    await choose(post, Via.SMS, quiet=(begin, end))
    await sweep(SMS, post.container)
    held = await post.found(id)
    assert (post.sms.got, held.deliveries["sms"].attempt) == ([], 0)
    assert held.next_sms_at == end.replace(second=0, microsecond=0)
    assert held.text is not None
    await sweep(SMS, replace(post.container, clock=lambda: end))
    assert await post.events(id) == ["MessageWritten", "DeliveryHeld", "DeliveryMade"]
    assert (await post.found(id)).deliveries["sms"].attempt == 1
    assert await kept(post)


async def test_what_is_urgent_passes_quiet_hours(post: Post) -> None:
    await choose(post, Via.SMS, quiet=(now() - timedelta(hours=1), now() + timedelta(hours=2)))
    id = await post.write(Via.SMS, urgent=True)
    await sweep(URGENT, post.container)
    assert await post.events(id) == ["MessageWritten", "DeliveryMade"]


async def test_a_retry_waits_for_the_end_of_quiet_hours(post: Post) -> None:
    await choose(post, Via.SMS, quiet=(now() + timedelta(minutes=10), now() + timedelta(hours=3)))
    post.sms.answers = [SendFailed("sms 503", retry_after=timedelta(minutes=30))]
    id = await post.write(Via.SMS)
    await sweep(SMS, post.container)
    again = (await post.found(id)).next_sms_at
    assert again is not None
    assert again > now() + timedelta(hours=2)


async def test_a_channel_switched_off_while_a_message_waits_is_given_up_without_an_attempt(post: Post) -> None:
    texted, mailed = await post.write(Via.SMS, Via.EMAIL), await post.write(Via.SMS, because_of="case_2:5", urgent=True)
    await choose(post)
    for timer in (URGENT, SMS, MAIL):
        await sweep(timer, post.container)
    assert post.sms.got == []
    for id, via in ((texted, "sms"), (texted, "email"), (mailed, "sms")):
        delivery = (await post.found(id)).deliveries[via]
        assert (delivery.state, delivery.attempt, delivery.because) == (DeliveryState.GIVEN_UP, 0, "not_wanted")
    assert (await post.found(texted)).text is None
    assert await kept(post)


async def test_a_sign_in_code_goes_to_the_phone_that_asked_for_it_whatever_the_preferences(post: Post) -> None:
    await choose(post, Via.EMAIL, email=ADDRESS)
    phone = post.container.vault.seal("13911112222", WANG, "phone")
    await post.write(Via.SMS, urgent=True, phone=phone)
    await sweep(URGENT, post.container)
    assert [notice.to for notice in post.sms.got] == ["13911112222"]
