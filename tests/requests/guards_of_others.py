"""Who may do what in requests, apart from cases of one's own or of one's post: following, and the city's calendar."""

import itertools
from collections.abc import Iterator

from services.chassis.usecase import known_as
from services.contracts.members.roles import Role
from services.contracts.requests import cases as contract
from services.contracts.requests.calendar import CalendarSet
from services.contracts.requests.followers import CaseFollowed, CaseUnfollowed
from services.requests.calendar import commands as calendar
from services.requests.cases.following import commands as following
from services.requests.cases.model import Case
from tests.requests.guards import (
    EVERYBODY,
    FILED,
    GIVEN,
    LATER,
    NUMBERS,
    OTHER,
    PEOPLE,
    RESIDENT,
    WHOLE_CITY,
    Who,
    by_role,
    calling,
)
from tests.requests.test_city_calendar import TIMES
from tests.requests.town import Town
from tests.support.guards import OK, Row, stored, twin

_SHOWN = FILED.model_copy(update={"followable": True})
_CASES = {
    "shown": (_SHOWN, contract.LimitsSet(**LATER), GIVEN),
    "hidden": (FILED, contract.LimitsSet(**LATER), GIVEN),
    "over": (_SHOWN, contract.LimitsSet(**LATER), GIVEN, contract.CaseCancelled(ended_at=FILED.filed_at)),
}
_OTHERS, _LEAVES = CaseFollowed(person_id=OTHER), CaseUnfollowed


def rows(town: Town) -> Iterator[Row]:
    """All of them."""
    yield from _following(town)
    yield from _leaving(town)
    yield from _calendar()


def _following(town: Town) -> Iterator[Row]:
    for who, (state, events) in itertools.product(EVERYBODY, _CASES.items()):
        label, person = f"a case that is {state} by {who.label}", PEOPLE[who.person]
        case, followed = f"case_g{next(NUMBERS)}", f"case_g{next(NUMBERS)}"
        for work, id, more, right, event in (
            (following.follow, case, (), _right(who, state), CaseFollowed),
            (
                following.unfollow,
                followed,
                (_OTHERS,),
                _right_leaving(who, state),
                _LEAVES if person == OTHER else None,
            ),
        ):
            thing = twin(Case, stored(Case, *events, *more), id, town.container)
            run = calling(work, id)
            yield Row(known_as(work).name, label, who.actor(), run, right, event, thing, loads_all=True)


def _leaving(town: Town) -> Iterator[Row]:
    for who in EVERYBODY:
        case = f"case_g{next(NUMBERS)}"
        thing = twin(Case, stored(Case, *_CASES["shown"], _OTHERS), case, town.container)
        run = calling(following.leave_erased, case, OTHER)
        yield Row(
            "requests.cases.following.leave_erased",
            f"by {who.label}",
            who.actor(),
            run,
            by_role(who) or OK,
            thing=thing,
        )


def _right(who: Who, state: str) -> str:
    if (refused := by_role(who, Role.RESIDENT)) is not None:
        return refused
    person = PEOPLE[who.person]
    if person is None:
        return "person-needed"
    if state == "hidden":
        return "not-found"
    if person == RESIDENT:
        return "followed-by-itself"
    return "followed-too-late" if state == "over" else OK


def _right_leaving(who: Who, state: str) -> str:
    if (refused := by_role(who, Role.RESIDENT)) is not None:
        return refused
    if state == "hidden":
        return "not-found"
    return "person-needed" if PEOPLE[who.person] is None else OK


def _calendar() -> Iterator[Row]:
    for who in (*EVERYBODY, Who((Role.ADMINISTRATOR,), place=WHOLE_CITY)):
        right = by_role(who, Role.ADMINISTRATOR) or (OK if who.place == WHOLE_CITY else "citywide-only")
        cmd = calendar.SetCalendar.model_validate(TIMES | {"source": f"notice {next(NUMBERS)}"})
        run = calling(calendar.set_calendar, cmd)
        yield Row("requests.calendar.set_calendar", f"by {who.label}", who.actor(), run, right, CalendarSet)
