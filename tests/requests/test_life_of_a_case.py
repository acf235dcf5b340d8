"""The life of a case: no sequence of allowed steps breaks what must hold, and no refused step changes anything."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Refusal
from services.chassis.domain.scope import Actor, system_actor
from services.chassis.domain.values import Sealed
from services.chassis.runtime.texts import load
from services.chassis.schedule.calendar import WorkingCalendar
from services.contracts.requests import cases as contract
from services.contracts.requests.cases import MOST_RETURNS, PauseCause, UnassignedBecause
from services.requests.cases.dispatch import model as dispatch
from services.requests.cases.dispatch.model import Choice, Nearby, NobodyLeft
from services.requests.cases.intake import model as intake
from services.requests.cases.limits import model as limits
from services.requests.cases.model import PAUSABLE, REOPENABLE, Case
from services.requests.cases.states.model import DONE, HELD, OPEN, State
from services.requests.cases.steps import model as steps
from services.requests.cases.steps.model import REOPENINGS, STEPS, Step
from services.requests.providers.model import TIER_OF, Organisation, escalation_path
from tests.requests.town import (
    CENTRE_HANDLER,
    DEPARTMENT_HANDLER,
    DISPATCHER,
    HOME,
    LEADER,
    NEIGHBOUR,
    OFFICE_HANDLER,
    OPERATOR,
    ORGANISATIONS,
    RESIDENT,
    STATION_HANDLER,
    SUPERVISOR,
)

TEXTS = load(("services.contracts", "services.requests"))
CALENDAR = WorkingCalendar.from_data(
    json.loads((Path(__file__).parents[2] / "deploy/cities/hulunbuir/holidays.json").read_text())
)
MONDAY = datetime(2026, 11, 23, 1, tzinfo=UTC)
ACTORS = [
    RESIDENT,
    NEIGHBOUR,
    OPERATOR,
    STATION_HANDLER,
    CENTRE_HANDLER,
    DEPARTMENT_HANDLER,
    OFFICE_HANDLER,
    LEADER,
    DISPATCHER,
    SUPERVISOR,
]
SECRET = Sealed("1.sealed")


def known(id: str) -> Organisation:
    organisation = Organisation.blank(id)
    organisation.apply(told_founded(id))
    return organisation


def told_founded(id: str) -> Any:
    return Organisation.creates[0].model_validate(ORGANISATIONS[id])


OFFICES = [known(id) for id in ORGANISATIONS]
NEAR = Nearby(offices=OFFICES)
RUNGS = escalation_path(HOME, (), OFFICES)


def filed(at: datetime, **more: Any) -> Case:
    """A case as it stands when it has been filed, before anybody has it."""
    case = Case.blank("case_1")
    fields: dict[str, Any] = {
        "number": "261123-00000-0",
        "filed_at": at,
        "resident_id": "person_wang",
        "filed_by": "account_wang",
        "channel": "self",
        "item": "NEAR",
        "item_name": {"zh": "事项", "en": "Item"},
        "system": "health",
        "area": HOME,
        "title": SECRET,
        "text": SECRET,
        "department": "health",
        "tiers": ["station", "centre", "county"],
        "first_response_hours": 4,
        "resolution_hours": 24,
        **more,
    }
    case.record(contract.CaseFiled.model_validate(fields))
    limits.set_limits(case, CALENDAR, at)
    return case


def take(case: Case, step: Step, now: datetime, choice: Choice) -> None:
    """Let a step happen that is allowed, as its use case does."""
    match step:
        case Step.TEAM | Step.HANDLER:
            dispatch.assign(case, choice, case.new_respond_by(CALENDAR, now))
        case Step.ROUTE:
            with suppress(NobodyLeft):
                dispatch.assign(case, dispatch.next_one(case, NEAR), case.new_respond_by(CALENDAR, now))
        case Step.PAUSE:
            limits.pause(case, PauseCause.WEATHER, SECRET, CALENDAR, now, limits.pause_end(case, CALENDAR, now, None))
        case Step.RESUME:
            limits.resume(case, CALENDAR, now)
        case Step.RETURN:
            limits.send_back(case, SECRET, RUNGS, CALENDAR, now)
        case Step.URGE:
            limits.urge(case, now, by_resident=True)
        case Step.RATE:
            steps.rate(case, contract.CaseRated(score=3, solved=now.second % 2 == 0), now)
        case Step.REOPEN:
            reopened = contract.CaseReopened(reason=SECRET, times=case.reopened + 1, reopened_at=now)
            someone = intake.reopen(case, reopened, NEAR)
            limits.set_limits(case, CALENDAR, now)
            dispatch.give(case, someone, UnassignedBecause.NOBODY_LEFT)
        case _:
            case.record(plain(step, now))


def plain(step: Step, now: datetime) -> Any:
    """The event of a step that records one and nothing else."""
    events: dict[Step, Event] = {
        Step.VERIFY: contract.CaseVerified(),
        Step.REJECT: contract.CaseRejected(reason="not_our_duty", answer=SECRET, ended_at=now),
        Step.CANCEL: contract.CaseCancelled(ended_at=now),
        Step.ACCEPT: contract.CaseAccepted(),
        Step.START: contract.CaseStarted(),
        Step.RESOLVE: contract.CaseResolved(outcome="fixed", answer=SECRET, resolved_at=now, resolution_seconds=60),
        Step.CALL_BACK: contract.CaseCalledBack(reached=True),
        Step.CLOSE: contract.CaseClosed(reason="fixed", ended_at=now),
        Step.COMMENT: contract.CommentAdded(
            text=SECRET, public=True, author_id="x", by_resident=False, from_resident=False
        ),
    }
    return events[step]


class LifeOfACase(RuleBasedStateMachine):
    """Anybody tries anything at any time."""

    case: Case
    now: datetime
    level: int
    reopened: int

    @initialize(after=st.timedeltas(timedelta(0), timedelta(days=20)), served=st.booleans())
    def file(self, after: timedelta, *, served: bool) -> None:
        self.now, self.level, self.reopened = MONDAY + after, 0, 0
        self.case = filed(self.now)
        dispatch.give(
            self.case, dispatch.choose(self.case, NEAR if served else Nearby()), UnassignedBecause.NOBODY_SERVES
        )

    @rule(pause=st.timedeltas(timedelta(seconds=1), timedelta(days=3)))
    def time_passes(self, pause: timedelta) -> None:
        self.now += pause
        before = self.case.level
        limits.tick(self.case, RUNGS, CALENDAR, self.now)
        assert self.case.level <= before + 1, "one level up at a time"
        assert self.case.next_tick_at is None or self.case.next_tick_at > self.now, "a tick moves the clock on"

    @rule(pause=st.timedeltas(timedelta(seconds=1), timedelta(hours=2)))
    def a_moment_passes_unnoticed(self, pause: timedelta) -> None:
        self.now += pause

    @rule(actor=st.sampled_from(ACTORS), step=st.sampled_from(Step), office=st.sampled_from(OFFICES))
    def somebody_tries(self, actor: Actor, step: Step, office: Organisation) -> None:
        before = self.case.model_dump()
        try:
            steps.expect(self.case, step, actor, self.now)
        except Refusal as refusal:
            assert self.case.model_dump() == before
            assert step not in steps.allowed(self.case, actor, self.now)
            assert all(TEXTS.sentence(refusal, language) for language in TEXTS.languages)
            return
        assert step in steps.allowed(self.case, actor, self.now)
        choice = Choice.of(TIER_OF[office.kind], office)
        take(self.case, step, self.now, choice)
        if step is Step.COMMENT:
            unchanged = {**self.case.model_dump()}
            assert unchanged == before, "a comment moves nothing, least of all a clock"

    @rule(data=st.data(), office=st.sampled_from(OFFICES))
    def somebody_does_what_is_open_to_them(self, data: st.DataObject, office: Organisation) -> None:
        handler = Actor("account_x", frozenset({"handler"}), (), (self.case.handler_id or "",))
        actor = data.draw(st.sampled_from([RESIDENT, OPERATOR, DISPATCHER, SUPERVISOR, *[handler] * 4]))
        moves = [step for step in steps.allowed(self.case, actor, self.now) if step is not Step.COMMENT]
        if moves:
            step = data.draw(st.sampled_from(moves))
            steps.expect(self.case, step, actor, self.now)
            take(self.case, step, self.now, Choice.of(TIER_OF[office.kind], office))

    @invariant()
    def it_has_one_handler_just_where_somebody_has_it(self) -> None:
        held = self.case.state in HELD
        assert (self.case.handler_id is not None) == held or self.case.state not in OPEN
        assert (self.case.handler_id is None) == (self.case.tier is None)

    @invariant()
    def its_limits_follow_its_filing_in_order(self) -> None:
        assert self.case.filed_at <= self.case.warn_at <= self.case.due_at
        assert self.case.respond_by <= self.case.due_at

    @invariant()
    def its_level_falls_only_where_it_begins_anew(self) -> None:
        if self.case.reopened > self.reopened:
            assert (self.case.level, self.case.owner_place, self.case.returns, self.case.paused_hours) == (
                0,
                None,
                0,
                0,
            )
        else:
            assert self.case.level >= self.level
        self.level, self.reopened = self.case.level, self.case.reopened

    @invariant()
    def it_stands_no_longer_than_it_may(self) -> None:
        assert self.case.paused_hours <= PAUSABLE + 0.001

    @invariant()
    def what_came_back_too_often_is_given_for_good(self) -> None:
        assert self.case.handler_id is None or self.case.returns < MOST_RETURNS or self.case.forced

    @invariant()
    def its_clock_stands_only_while_it_is_suspended(self) -> None:
        assert (self.case.paused_at is not None) == (self.case.state is State.SUSPENDED)

    @invariant()
    def an_open_case_always_has_a_next_time(self) -> None:
        running_to_the_end = self.case.overdue and self.case.at_top
        if self.case.state in OPEN | DONE and not running_to_the_end:
            assert self.case.next_tick_at is not None

    @invariant()
    def what_is_over_says_why(self) -> None:
        over = (State.CLOSED, State.CANCELLED, State.REJECTED)
        assert (self.case.closed_because is not None) == (self.case.state in over)

    @invariant()
    def its_words_are_kept_from_its_end_and_no_term_runs_for_one_that_is_not_over(self) -> None:
        over = (State.CLOSED, State.CANCELLED, State.REJECTED)
        assert (self.case.retained_since is not None) == (self.case.state in over)
        assert self.case.retained_since is None or self.case.filed_at <= self.case.retained_since <= self.now

    @invariant()
    def what_is_late_is_open(self) -> None:
        assert not self.case.overdue or self.case.state in OPEN

    @invariant()
    def it_is_not_reopened_more_often_or_later_than_it_may(self) -> None:
        assert self.case.reopened <= REOPENINGS
        if self.case.state in DONE:
            assert self.case.next_tick_at == (self.case.resolved_at or self.now) + REOPENABLE

    @invariant()
    def its_history_folds_to_its_state(self) -> None:
        folded = Case.blank(self.case.id)
        for event in self.case.fresh:
            folded.apply(event)  # type: ignore[arg-type]
        assert folded.model_dump() == self.case.model_dump()


TestLifeOfACase = LifeOfACase.TestCase
TestLifeOfACase.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)


def test_every_step_of_the_table_can_be_reached_by_somebody() -> None:
    for step, line in STEPS.items():
        assert line.roles, step
        assert line.states, step


def test_the_system_may_take_any_step_that_the_state_allows() -> None:
    case = filed(MONDAY)
    steps.expect(case, Step.VERIFY, system_actor("a timer"), MONDAY)
