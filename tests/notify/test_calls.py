"""Who is on call is reached by every channel at once, in quiet hours and with a provider away."""

from datetime import timedelta

from services.chassis.domain.values import now
from services.contracts.notify.messages import Via
from services.contracts.requests.alarms import CaseCalled
from services.notify.channels.model import Senders, SendFailed
from services.notify.messages.model import DeliveryState, Message
from services.notify.preferences.commands import SetPreferences, set_preferences
from tests.notify.conftest import DISPATCHER, STREET, Town, dispatched, eventually, founded, limits, signed_in
from tests.notify.post import MAIL, URGENT, Recorder, sweeps, with_parts
from tests.support.world import World

PHONE = "13800000001"
DECLINED = SetPreferences(channels=[], quiet_from="00:00", quiet_to="23:59", email="night@example.org")
"""No text messages, no mail, and quiet all day: but an address is there."""


async def called(town: Town) -> Message:
    """The message to who is on call about a danger."""
    await town.peopled()
    await set_preferences(town.container.context(signed_in(DISPATCHER, "dispatcher"), "test:quiet"), DECLINED)
    await town.keyed("case_1")
    filing = town.filing("case_1", "261123-7K3F").model_copy(update={"accept_within_minutes": 10})
    call = CaseCalled(step=1, place=STREET, person_id=DISPATCHER, next_at=now() + timedelta(minutes=10))
    await town.tell("case_1", filing, limits(now()), dispatched(), call)
    await eventually(lambda: town.messages(DISPATCHER))
    (message,) = await town.messages(DISPATCHER)
    return message


async def test_a_call_goes_by_every_channel_at_once_also_those_declined_and_in_quiet_hours(world: World) -> None:
    sms, mail = Recorder(), Recorder()
    parts = with_parts(senders=Senders({Via.SMS: sms, Via.EMAIL: mail}))
    async with founded(world, parts) as town, town.listening():
        message = await called(town)
        assert (message.template, message.urgent, message.on_call) == ("case-called", True, True)
        assert message.inbox_of == DISPATCHER
        for timer in (URGENT, MAIL):
            await sweeps(town.container, timer, 2)
        assert [notice.to for notice in sms.got] == [PHONE]
        assert [notice.to for notice in mail.got] == ["night@example.org"]
        assert "您在值班" in sms.got[0].text


async def test_with_the_provider_of_text_messages_away_the_other_channels_go_and_it_is_seen(world: World) -> None:
    sms, mail = Recorder([SendFailed("sms 503") for _ in range(20)]), Recorder()
    parts = with_parts(senders=Senders({Via.SMS: sms, Via.EMAIL: mail}))
    async with founded(world, parts) as town, town.listening():
        await called(town)
        for timer in (URGENT, MAIL):
            await sweeps(town.container, timer, 2)
        (message,) = await town.messages(DISPATCHER)
        assert message.deliveries["email"].state is DeliveryState.MADE
        failing = message.deliveries["sms"]
        assert (failing.state, failing.reason, failing.attempt > 0) == (DeliveryState.WAITING, "sms 503", True)
