"""Requests, put together."""

import json
from collections.abc import Mapping
from typing import Any

from services.chassis.messaging.revoking import revoking
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import Settings
from services.chassis.schedule.calendar import CityTimes
from services.contracts.members.accounts import REVOKING
from services.requests.calendar import api as calendar
from services.requests.calendar.adapters import keep_calendar
from services.requests.calendar.model import Calendar
from services.requests.calendar.queries import CityCalendar
from services.requests.cases import api as cases
from services.requests.cases.alarms.model import Incident
from services.requests.cases.alarms.reactions import (
    accept_linked,
    call_at_once,
    call_for_linked,
    call_on_call,
    link_reported,
    report_incident,
    settle_linked,
)
from services.requests.cases.calls import api as calls
from services.requests.cases.clocks.model import Retention
from services.requests.cases.dispatch import api as dispatch
from services.requests.cases.dispatch.model import TeamLoad
from services.requests.cases.dispatch.reactions import ask_dispatcher, book_slot, keep_team_slots, pass_on_refused
from services.requests.cases.following import api as following
from services.requests.cases.forgetting import api as forgetting
from services.requests.cases.forgetting.settings import RetentionSettings
from services.requests.cases.forgetting.timers import forget_erased, forget_over
from services.requests.cases.intake import api as intake
from services.requests.cases.limits import api as limits
from services.requests.cases.limits.timers import case_clock, limits_by_calendar
from services.requests.cases.model import Case
from services.requests.cases.steps import api as steps
from services.requests.cases.timelines import api as timelines
from services.requests.cases.tracking import api as tracking
from services.requests.catalogue import api as catalogue
from services.requests.catalogue.model import Item
from services.requests.dangers.adapters import read_dangers
from services.requests.dangers.model import Dangers
from services.requests.overview.reactions import measure_cases
from services.requests.overview.timers import count_cases
from services.requests.providers.model import AreaCopy, Organisation, Team
from services.requests.residents.model import Person
from services.requests.rosters.model import Roster
from services.requests.suggestions import api as suggestions
from services.requests.suggestions.queries import ItemIndex


def _dependencies(settings: Settings) -> Mapping[type, Any]:
    holidays = json.loads((settings.city_data / "holidays.json").read_text(encoding="utf-8"))
    return {
        CityCalendar: CityCalendar(CityTimes.model_validate(holidays)),
        Dangers: read_dangers(settings.city_data),
        ItemIndex: ItemIndex(),
        Retention: Retention.of_days(settings.of(RetentionSettings).case_term_days),
    }


alarms = (
    report_incident,
    call_at_once,
    call_on_call,
    link_reported,
    settle_linked,
    accept_linked,
    call_for_linked,
)

service = Service(
    name="requests",
    texts=("services.contracts", "services.requests"),
    entities=(Item, Calendar, Case, TeamLoad, Incident),
    copies=(AreaCopy, Organisation, Team, Person, Roster),
    reference=(Item, AreaCopy, Organisation),
    routes=(
        suggestions.routes,
        catalogue.routes,
        calendar.routes,
        cases.routes,
        following.routes,
        intake.routes,
        steps.routes,
        dispatch.routes,
        limits.routes,
        forgetting.routes,
        timelines.routes,
        calls.routes,
        tracking.routes,
    ),
    reactions=(
        keep_team_slots,
        book_slot,
        pass_on_refused,
        ask_dispatcher,
        *alarms,
        measure_cases,
        revoking(*REVOKING),
    ),
    timers=(case_clock, forget_over),
    listens_to=("members", "requests"),
    settings=(RetentionSettings,),
    dependencies=_dependencies,
    loops=(keep_calendar,),
    periodic=(count_cases(), limits_by_calendar, forget_erased),
)
