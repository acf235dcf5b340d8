"""Steps: what each role may do in each state, told state by state, and what stands against a step."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pydantic import BaseModel

from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import Actor, system_actor
from services.contracts.members.roles import Role
from services.contracts.requests import cases as contract
from services.requests.cases.dispatch.commands import AssignHandler, AssignTeam
from services.requests.cases.forgetting.commands import ForgetCase
from services.requests.cases.intake.commands import RejectCase, ReopenCase
from services.requests.cases.limits.commands import PauseCase, ReturnCase
from services.requests.cases.model import Case
from services.requests.cases.states.model import DONE, HELD, OPEN, RUNNING, WAITING, State
from services.requests.cases.steps import model as steps
from services.requests.cases.steps.commands import AddComment, CallBack, NoDanger, RateCase, ResolveCase
from services.requests.cases.steps.model import STEPS, Step, StepNotAllowed
from tests.requests.test_life_of_a_case import MONDAY, SECRET, filed
from tests.requests.test_pauses import taken
from tests.requests.town import (
    DISPATCHER,
    FOREIGN_DISPATCHER,
    LEADER,
    NEIGHBOUR,
    OPERATOR,
    RESIDENT,
    STATION_HANDLER,
    SUPERVISOR,
    staff,
)

SAID_BY_RESIDENTS = "cancel comment urge"
DIRECTED = "reject team handler comment"
GIVEN = "team handler comment"
OVER = "call-back close comment"
ALLOWED: dict[State, tuple[str, str, str, str, str]] = {
    State.NEW: (
        SAID_BY_RESIDENTS,
        SAID_BY_RESIDENTS,
        "comment",
        f"verify route {DIRECTED}",
        f"verify route {DIRECTED}",
    ),
    State.VERIFIED: (SAID_BY_RESIDENTS, SAID_BY_RESIDENTS, "comment", f"route {DIRECTED}", f"route {DIRECTED}"),
    State.RETURNED: (SAID_BY_RESIDENTS, SAID_BY_RESIDENTS, "comment", f"route {DIRECTED}", f"route {DIRECTED}"),
    State.DISPATCHED: (SAID_BY_RESIDENTS, SAID_BY_RESIDENTS, "accept return comment", DIRECTED, DIRECTED),
    State.ACCEPTED: (
        SAID_BY_RESIDENTS,
        SAID_BY_RESIDENTS,
        "start pause return resolve comment",
        GIVEN,
        f"pause {GIVEN}",
    ),
    State.IN_PROGRESS: (
        SAID_BY_RESIDENTS,
        SAID_BY_RESIDENTS,
        "pause return resolve comment",
        GIVEN,
        f"pause {GIVEN}",
    ),
    State.SUSPENDED: (SAID_BY_RESIDENTS, SAID_BY_RESIDENTS, "resume comment", "comment", "resume comment"),
    State.RESOLVED: ("rate reopen comment", f"{OVER} reopen", "comment", OVER, OVER),
    State.CALLBACK: ("rate reopen comment", f"{OVER} reopen", "comment", OVER, OVER),
    State.CLOSED: ("rate reopen comment", "reopen comment", "comment", "comment", "comment"),
    State.REJECTED: ("comment", "comment", "comment", "comment", "comment"),
    State.CANCELLED: ("comment", "comment", "comment", "comment", "comment"),
}
"""What its resident, an operator, its handler, a dispatcher and a supervisor may do in each state."""
BODIES: dict[Step, type[BaseModel]] = {
    Step.REJECT: RejectCase,
    Step.TEAM: AssignTeam,
    Step.HANDLER: AssignHandler,
    Step.PAUSE: PauseCase,
    Step.RETURN: ReturnCase,
    Step.RESOLVE: ResolveCase,
    Step.CALL_BACK: CallBack,
    Step.RATE: RateCase,
    Step.REOPEN: ReopenCase,
    Step.COMMENT: AddComment,
    Step.NO_DANGER: NoDanger,
    Step.FORGET: ForgetCase,
}


def standing(state: State) -> Case:
    """A case in a state, that its station has or had and against which nothing stands."""
    case = taken()
    case.state, case.resolved_at = state, MONDAY
    return case


@pytest.mark.parametrize("state", State)
def test_each_role_may_do_in_each_state_what_the_regulation_says(state: State) -> None:
    case = standing(state)
    found = [
        set(steps.allowed(case, actor, MONDAY))
        for actor in (RESIDENT, OPERATOR, STATION_HANDLER, DISPATCHER, SUPERVISOR)
    ]
    assert found == [set(map(Step, names.split())) for names in ALLOWED[state]]


@pytest.mark.parametrize("state", State)
def test_anyone_who_has_nothing_to_do_with_a_case_may_do_nothing(state: State) -> None:
    for actor in (NEIGHBOUR, LEADER, FOREIGN_DISPATCHER, staff("administrator", "150781")):
        assert steps.allowed(standing(state), actor, MONDAY) == []
        with pytest.raises(steps.NotYourStep) as refused:
            steps.expect(standing(state), Step.COMMENT, actor, MONDAY)
        assert refused.value.kind is Kind.FORBIDDEN


def test_a_role_is_held_by_whose_it_is_by_the_own_organisation_and_by_place() -> None:
    case = taken()
    for actor, roles in ((RESIDENT, ["resident"]), (STATION_HANDLER, ["handler"]), (OPERATOR, ["operator"])):
        assert steps.is_entitled(case, actor, *map(Role, roles))
    assert not steps.is_entitled(case, OPERATOR, Role.DISPATCHER)
    waiting = filed(MONDAY)
    assert not steps.is_entitled(waiting, STATION_HANDLER, Role.HANDLER), "nobody has it yet"
    homeless = Actor("account_x", frozenset({"handler"}), organisations=("None",))
    assert not steps.is_entitled(waiting, homeless, Role.HANDLER)


@pytest.mark.parametrize("state", State)
def test_nobody_of_the_staff_decides_about_the_own_case(state: State) -> None:
    for actor in (OPERATOR, STATION_HANDLER, DISPATCHER, SUPERVISOR, staff("administrator", "1507")):
        own = replace(actor, person=RESIDENT.person)
        assert steps.allowed(standing(state), own, MONDAY) == []
        both = replace(own, roles=own.roles | {Role.RESIDENT})
        assert steps.allowed(standing(state), both, MONDAY) == steps.allowed(standing(state), RESIDENT, MONDAY)
        for step in (Step.ACCEPT, Step.RESOLVE, Step.CALL_BACK, Step.CLOSE, Step.RATE):
            assert refusal(standing(state), step, own) == ("own-case", {})


@pytest.mark.parametrize("state", State)
def test_who_files_for_somebody_neither_does_it_nor_calls_back_nor_closes(state: State) -> None:
    for actor in (OPERATOR, STATION_HANDLER, DISPATCHER, SUPERVISOR):
        own, other = standing(state), standing(state)
        own.filed_by = actor.id
        withheld = {Step.ACCEPT, Step.START, Step.RESOLVE, Step.CALL_BACK, Step.CLOSE}
        allowed = steps.allowed(other, actor, MONDAY)
        assert steps.allowed(own, actor, MONDAY) == [step for step in allowed if step not in withheld]
        for step in withheld & set(allowed):
            assert refusal(own, step, actor) == ("filed-by-you", {})


def test_the_roles_of_a_step_come_from_the_table() -> None:
    assert steps.may(Step.RATE) == ("resident",)
    assert steps.may(Step.CLOSE) == ("operator", "dispatcher", "supervisor")


@pytest.mark.parametrize("step", Step)
def test_a_step_needs_the_fields_that_its_body_must_have(step: Step) -> None:
    fields = BODIES[step].model_fields if step in BODIES else {}
    assert set(STEPS[step].needs) == {name for name, field in fields.items() if field.is_required()}


def test_who_has_a_case_is_put_and_everything_else_is_posted() -> None:
    assert {step for step, rule in STEPS.items() if rule.method == "PUT"} == {Step.TEAM, Step.HANDLER}
    assert {rule.method for rule in STEPS.values()} == {"PUT", "POST"}


def test_every_step_is_in_the_table() -> None:
    assert set(STEPS) == set(Step)


def test_somebody_has_a_case_or_it_waits_or_it_is_over() -> None:
    assert {*WAITING, *HELD, *DONE, State.CLOSED, State.REJECTED, State.CANCELLED} == set(State)
    assert OPEN == WAITING | HELD
    assert not WAITING & HELD
    assert {State.SUSPENDED} == OPEN - RUNNING
    assert len(DONE) == 2
    assert {State.RESOLVED, State.CALLBACK} <= DONE


def refusal(case: Case, step: Step, actor: Actor, now: datetime = MONDAY) -> tuple[str, dict[str, object]]:
    with pytest.raises(Refusal) as refused:
        steps.expect(case, step, actor, now)
    assert step not in steps.allowed(case, actor, now)
    return refused.value.code(), refused.value.params


def test_a_step_that_the_state_does_not_allow_is_refused_with_those_that_it_does() -> None:
    case = standing(State.SUSPENDED)
    code, params = refusal(case, Step.RESOLVE, STATION_HANDLER)
    assert code == "step-not-allowed"
    assert params == {"step": Step.RESOLVE, "state": State.SUSPENDED, "allowed": [Step.RESUME, Step.COMMENT]}
    assert StepNotAllowed.kind is Kind.STATE


def test_the_system_takes_any_step_that_the_state_allows() -> None:
    steps.expect(standing(State.RESOLVED), Step.CLOSE, system_actor("clock"), MONDAY)
    assert refusal(standing(State.NEW), Step.CLOSE, system_actor("clock"))[0] == "step-not-allowed"


@pytest.mark.parametrize("step", [Step.ROUTE, Step.REJECT, Step.TEAM, Step.HANDLER])
def test_after_two_returns_only_the_supervisor_decides_who_does_it(step: Step) -> None:
    case = standing(State.RETURNED)
    case.returns = 1
    steps.expect(case, step, DISPATCHER, MONDAY)
    case.returns = 2
    assert refusal(case, step, DISPATCHER) == ("supervisor-decides", {"returns": 2})
    for actor in (SUPERVISOR, system_actor("clock")):
        steps.expect(case, step, actor, MONDAY)


def test_what_the_supervisor_gave_for_good_is_not_returned() -> None:
    case = standing(State.ACCEPTED)
    steps.expect(case, Step.RETURN, STATION_HANDLER, MONDAY)
    case.forced = True
    assert refusal(case, Step.RETURN, STATION_HANDLER) == ("assignment-forced", {})


def test_a_case_that_is_late_or_called_so_is_paused_by_supervisor_and_system_only() -> None:
    case = taken()
    steps.expect(case, Step.PAUSE, STATION_HANDLER, case.due_at - timedelta(seconds=1))
    assert refusal(case, Step.PAUSE, STATION_HANDLER, case.due_at) == ("supervisor-pauses", {})
    case.overdue = True
    assert refusal(case, Step.PAUSE, STATION_HANDLER, MONDAY) == ("supervisor-pauses", {})
    for actor in (SUPERVISOR, system_actor("clock")):
        steps.expect(case, Step.PAUSE, actor, case.due_at)


@pytest.mark.parametrize(("stood", "left"), [(79.98, True), (79.99, False), (80.0, False), (81.0, False)])
def test_a_case_is_paused_as_long_as_a_minute_of_its_ten_days_is_left(stood: float, *, left: bool) -> None:
    case = taken()
    case.paused_hours = stood
    assert (Step.PAUSE in steps.allowed(case, STATION_HANDLER, MONDAY)) == left
    if not left:
        assert refusal(case, Step.PAUSE, STATION_HANDLER) == ("pauses-spent", {"hours": 80.0})


def test_a_case_is_reopened_twice_and_within_fifteen_days_of_its_resolution() -> None:
    case = standing(State.CLOSED)
    last = MONDAY + timedelta(days=15)
    steps.expect(case, Step.REOPEN, RESIDENT, last)
    late = last + timedelta(seconds=1)
    assert refusal(case, Step.REOPEN, RESIDENT, late) == ("reopen-too-late", {"days": 15})
    case.reopened = 1
    steps.expect(case, Step.REOPEN, RESIDENT, MONDAY)
    case.reopened = 2
    assert refusal(case, Step.REOPEN, RESIDENT) == ("reopened-too-often", {"times": 2})
    never = standing(State.CLOSED)
    never.resolved_at = None
    assert refusal(never, Step.REOPEN, RESIDENT) == ("reopen-too-late", {"days": 15})


def test_a_case_is_rated_once_also_with_the_lowest_score() -> None:
    case = standing(State.RESOLVED)
    case.score = 0
    assert refusal(case, Step.RATE, RESIDENT) == ("rated-already", {})


def test_a_case_is_urged_once_a_day_and_the_refusal_says_when_again() -> None:
    case = taken()
    case.urged_at = MONDAY
    with pytest.raises(steps.UrgedToday) as refused:
        steps.expect(case, Step.URGE, RESIDENT, MONDAY + timedelta(hours=23, milliseconds=1))
    assert (refused.value.retry_after, refused.value.kind) == (3600, Kind.TOO_MANY)
    steps.expect(case, Step.URGE, RESIDENT, MONDAY + timedelta(hours=24))


def test_a_precondition_of_a_step_depends_on_the_state() -> None:
    barring = (
        steps.AssignmentForced,
        steps.SupervisorDecides,
        steps.SupervisorPauses,
        steps.PausesSpent,
        steps.ReopenedTooOften,
        steps.ReopenTooLate,
        steps.RatedAlready,
    )
    assert {one.kind for one in barring} == {Kind.STATE}


RATED: list[tuple[State, bool, str | None, list[contract.CaseClosed]]] = [
    (State.RESOLVED, True, "partly_fixed", [contract.CaseClosed(reason="partly_fixed", ended_at=MONDAY)]),
    (State.CALLBACK, True, None, [contract.CaseClosed(reason="fixed", ended_at=MONDAY)]),
    (State.RESOLVED, False, "fixed", []),
    (State.CLOSED, True, "fixed", []),
]


@pytest.mark.parametrize(("state", "solved", "outcome", "closed"), RATED)
def test_a_rating_that_calls_the_matter_settled_closes_what_is_not_closed_yet(
    state: State, outcome: str | None, closed: list[contract.CaseClosed], *, solved: bool
) -> None:
    case = standing(state)
    case.outcome = outcome
    case.fresh.clear()
    rating = contract.CaseRated(handler_id="organisation_station", score=3, solved=solved, remark=SECRET)
    steps.rate(case, rating, MONDAY)
    assert case.fresh == [rating, *closed]
