"""Notify, put together."""

import json
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from services.chassis.messaging.revoking import revoking
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import Settings
from services.contracts.members.accounts import REVOKING
from services.contracts.notify.messages import Via
from services.notify.audience.model import Organisation, Person, Staff, Team
from services.notify.cases import reactions as cases
from services.notify.channels.adapters import NotConfigured, SignedHttpSms, SmsSpool, Smtp
from services.notify.channels.model import Sender, Senders
from services.notify.channels.settings import ChannelSettings
from services.notify.inboxes import api as inboxes
from services.notify.inboxes.adapters import watch
from services.notify.inboxes.model import InboxSubscribers
from services.notify.messages.model import Backoff, Message, TextBudget
from services.notify.messages.queries import check_messages
from services.notify.messages.timers import timers
from services.notify.preferences import api as preferences
from services.notify.preferences.model import Preferences
from services.notify.preferences.reactions import keep_language_of_sign_in
from services.notify.rosters import reactions as rosters
from services.notify.rules.reactions import NotifyReaction
from services.notify.sign_in import reactions as sign_in
from services.notify.silent import reactions as silent
from services.notify.teams import reactions as teams


def dependencies(settings: Settings) -> Mapping[type, Any]:
    """What the use cases of a process work with, by the settings and the city's data."""
    zone = ZoneInfo(json.loads((settings.city_data / "holidays.json").read_text("utf-8"))["time_zone"])
    channels = settings.of(ChannelSettings)
    return {
        ZoneInfo: zone,
        Senders: Senders({Via.SMS: _sms(channels), Via.EMAIL: _email(channels)}),
        Backoff: Backoff(),
        TextBudget: TextBudget(channels.texts_per_day, channels.urgent_texts_per_day),
        InboxSubscribers: InboxSubscribers(),
    }


def _sms(settings: ChannelSettings) -> Sender:
    if settings.sms_url is not None and settings.sms_secret_file is not None:
        return SignedHttpSms(settings.sms_url, settings.sms_secret_file.read_bytes().strip())
    return NotConfigured() if settings.sms_spool is None else SmsSpool(settings.sms_spool)


def _email(settings: ChannelSettings) -> Sender:
    if settings.smtp is None:
        return NotConfigured()
    file = settings.smtp_password_file
    password = None if file is None else file.read_text("utf-8").strip()
    return Smtp(settings.smtp, settings.mail_from, settings.smtp_tls, settings.smtp_user, password)


subjects = (cases.subject, teams.subject, sign_in.subject, rosters.subject, *silent.subjects)
"""Every event of every contract belongs to one of them."""
_read = [subject.copy for subject in subjects if subject.copy is not None]

service = Service(
    name="notify",
    texts=("services.contracts", "services.notify"),
    entities=(Message, Preferences),
    copies=tuple(dict.fromkeys((Person, Staff, Organisation, Team, *_read))),
    reference=(Organisation, Staff, Team),
    routes=(inboxes.routes, preferences.routes),
    reactions=(NotifyReaction(subjects), keep_language_of_sign_in, revoking(*REVOKING)),
    timers=timers,
    listens_to=("members", "requests"),
    linger_seconds=0.5,
    settings=(ChannelSettings,),
    dependencies=dependencies,
    web_loops=(watch,),
    checks=(check_messages,),
)
