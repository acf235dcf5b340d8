"""A case: what a resident asked for, who has it, and when it is due. The only place where its state changes."""

from datetime import datetime, timedelta
from typing import ClassVar, assert_never

from pydantic import Field

from services.chassis.domain.entity import Entity, Index, Terms
from services.chassis.domain.scope import ALL, NONE, SYSTEM, Actor, Visible
from services.chassis.domain.values import Instant, Sealed
from services.chassis.domain.words import Words
from services.chassis.schedule.calendar import WorkingCalendar
from services.contracts.members.areas import path
from services.contracts.members.roles import Role, staffed
from services.contracts.requests import cases as contract
from services.contracts.requests.alarms import AlarmEvent
from services.contracts.requests.case_parts import Filing, InDanger, LeavesHandler, OfHandler, WithEnd
from services.contracts.requests.cases import CloseReason, ForgetCause
from services.contracts.requests.catalogue import Tier
from services.contracts.requests.dangers import DangerUnfounded
from services.contracts.requests.followers import CaseUnfollowed, FollowerEvent, followers_after
from services.requests.cases.dangers.model import Danger
from services.requests.cases.states.model import ABANDONED, DONE, RUNNING, STATE_AFTER, State

STAFF = (Role.OPERATOR, Role.HANDLER, Role.DISPATCHER, Role.SUPERVISOR)
"""Who works on cases for the city."""
READERS = (Role.RESIDENT, *STAFF)
"""Who may read cases at all; ``Case.visible`` says which ones."""
REOPENABLE = timedelta(days=15)
"""How long after its resolution a case may be reopened; after that it is closed."""
PAUSABLE = 80.0
"""Working hours (ten days) that a case may be paused in total; then its clock resumes."""


class Case(Danger, Entity[contract.CaseEvent]):
    """One request of one resident, from filing to rating."""

    entity_type: ClassVar[str] = "case"
    own_key: ClassVar[bool] = True
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(("number",), unique=True),
        Index(("next_tick_at",), sparse=True),
        Index(("retained_since",), sparse=True),
        Index(("linked_to",), above=""),
        Index(("state", "county", "system", "overdue")),
        Index(("calendar_version", "id"), above=-1),
    )
    terms: ClassVar[Terms] = Terms(sealed="title")

    state: State
    county: str

    handler_id: str | None = None
    handler_name: Words | None = None
    tier: Tier | str | None = None
    announced: bool = False
    """Whether those who have it were told: a volunteer team is, once it has a slot for it."""
    forced: bool = False
    tried: list[str] = Field([])
    returns: int = 0

    waits_since: Instant
    """When it was filed, or reopened."""
    was_accepted: bool = False
    """Whether a handler has accepted it since."""
    respond_by: Instant
    warn_at: Instant
    due_at: Instant
    responded: bool = False
    warned: bool = False
    overdue: bool = False
    paused_at: Instant | None = None
    paused_until: Instant | None = None
    due_unpaused: Instant | None = None
    """While it is paused: when it was due before."""
    paused_hours: float = 0.0
    level: int = 0
    owner_id: str | None = None
    owner_place: str | None = None
    escalates_from: Instant | None = None
    calendar_version: int | None = None
    """While it is open: by which version of the city's calendar its limits count."""
    next_tick_at: Instant | None = None

    answer: Sealed | None = None
    outcome: CloseReason | str | None = None
    resolved_at: Instant | None = None
    closed_because: CloseReason | str | None = None
    score: int | None = None
    solved: bool | None = None
    reopened: int = 0
    urged: int = 0
    urged_at: Instant | None = None
    followers: list[str] = Field([])
    """People who would ask for the same, and follow this one instead."""
    left: list[str] = Field([])
    """Who followed it no more, once for each time."""
    unfounded: bool = False
    retained_since: Instant | None = None
    """When it ended, as long as its words are kept; the city's term for them counts from then."""
    forgotten: ForgetCause | str | None = None

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Residents see their own cases, handlers those of their organisations, staff those in their places."""
        if actor.has(SYSTEM):
            return ALL
        seen = NONE
        if actor.has(Role.RESIDENT):
            seen = seen.where(cls.stored_name("resident_id"), actor.person)
        if actor.has(Role.HANDLER):
            seen = seen.where(cls.stored_name("handler_id"), *actor.organisations)
        return seen.where("under", *staffed(actor, *STAFF, Role.ADMINISTRATOR))

    def places(self) -> tuple[str, ...]:
        """The area codes from the city down to where it is."""
        return path(self.area)

    def subjects(self) -> tuple[str, ...]:
        """Its resident, whose words it holds, sealed under a key of the case."""
        return (self.resident_id,)

    def is_of(self, actor: Actor) -> bool:
        """Whether this actor is its resident."""
        return self.resident_id == actor.person

    def new_respond_by(self, calendar: WorkingCalendar, now: datetime) -> datetime:
        """When the present handler must accept it: each has the same time, but never more than the case itself."""
        return min(calendar.add(now, self.hours_to_accept), self.due_at)

    def waited(self, now: datetime) -> float:
        """For how many seconds its resident has waited; not less than none, whatever the clocks of processes say."""
        return max(0.0, (now - self.waits_since).total_seconds())

    @property
    def holder(self) -> str | None:
        """The organisation or team that has it, or did it; None where it waits, or was rejected or withdrawn."""
        return None if self.handler_id is None or self.state in ABANDONED else self.handler_id

    @property
    def at_top(self) -> bool:
        """Whether it is at the top of the escalation path."""
        return self.owner_place == self.places()[0]

    @property
    def pausable_hours(self) -> float:
        """How many working hours it may still be paused; less than a minute counts as none."""
        left = PAUSABLE - self.paused_hours
        return left if left * 60 >= 1 else 0.0

    @property
    def escalates_at(self) -> datetime | None:
        """When it escalates next: at its limit, after the rest of the last level. Where somebody is called about it, or
        about the one that it is linked to, the calls go up instead."""
        if self.at_top or self.call_at or (self.linked_to and not self.was_accepted):
            return None
        limit = self.due_at if self.responded else min(self.respond_by, self.due_at)
        return max(limit, self.escalates_from or limit)

    def record(self, event: contract.CaseEvent) -> None:
        """Record an event; where it concerns the handler, with the one that has the case."""
        if isinstance(event, OfHandler):
            event = event.model_copy(update={"handler_id": self.holder})
        if isinstance(event, LeavesHandler) and self.holder is not None:
            left = {"from_id": self.holder, "from_tier": self.tier, "from_announced": self.announced}
            event = event.model_copy(update=left)
        if isinstance(event, InDanger) and self.is_danger:
            event = event.model_copy(update={"in_danger": True})
        super().record(event)

    def apply(self, event: contract.CaseEvent) -> None:
        """Fold an event into the state."""
        self.state = STATE_AFTER.get(type(event)) or self.state
        if isinstance(event, contract.CaseFiled):
            self._file(event)
        elif isinstance(event, contract.HandlerEvent):
            self._hand_over(event)
        elif isinstance(event, contract.ClockEvent):
            self._time(event)
        elif isinstance(event, contract.EndEvent):
            self._end(event)
        elif isinstance(event, contract.ResidentFeedback):
            self._take_feedback(event)
        elif isinstance(event, AlarmEvent):
            self.take_alarm(event)
        elif isinstance(event, FollowerEvent):
            self.followers = followers_after(self.followers, event)
            self.left = [*self.left, event.person_id] if isinstance(event, CaseUnfollowed) else self.left
        elif isinstance(event, contract.CaseForgotten):
            self.forgotten, self.retained_since = event.because, None
        elif isinstance(event, DangerUnfounded):
            self.unfounded = True
        elif not isinstance(event, contract.HistoryOnlyEvent):
            assert_never(event)
        self.next_tick_at = self._next_tick()

    def _file(self, event: contract.CaseFiled) -> None:
        for name in Filing.model_fields:
            setattr(self, name, getattr(event, name))
        self.county, self.waits_since = self.places()[1], event.filed_at
        self.expect_call(event.filed_at)
        self.respond_by = self.warn_at = self.due_at = event.filed_at  # until LimitsSet, in the same write

    def _hand_over(self, event: contract.HandlerEvent) -> None:
        if isinstance(event, contract.CaseBooked):
            self.announced = True
            return
        accepted = self.responded
        self.handler_id = self.handler_name = self.tier = None
        self.announced = self.forced = self.responded = False
        match event:
            case contract.CaseDispatched():
                self.tier, self.announced, self.forced = event.tier, event.tier != Tier.TEAM, event.forced
                self.handler_id, self.handler_name = event.handler_id, event.handler_name
                self.tried = [*(id for id in self.tried if id != event.handler_id), event.handler_id]
                self.respond_by = event.respond_by or self.respond_by
            case contract.CaseReturned():
                self.returns, self.respond_by = event.times, event.respond_by or self.respond_by
                if accepted:
                    self.expect_call(self.respond_by - timedelta(hours=self.hours_to_accept))
            case contract.CaseReopened():
                self.reopened = event.times
                self.waits_since, self.was_accepted = event.reopened_at, False
                self.level, self.returns, self.paused_hours = 0, 0, 0.0
                self.owner_id = self.owner_place = self.retained_since = None
                self.outcome = self.closed_because = self.resolved_at = self.score = self.solved = None
                self.expect_call(event.reopened_at)
            case contract.CaseUnassigned():
                self.state = State.VERIFIED if self.state is State.VERIFIED else State.NEW
            case _:
                assert_never(event)

    def _time(self, event: contract.ClockEvent) -> None:
        match event:
            case contract.LimitsSet():
                self.respond_by, self.warn_at, self.due_at = event.respond_by, event.warn_at, event.due_at
                self.responded = self.warned = self.overdue = False
                self.escalates_from, self.calendar_version = None, event.calendar_version
            case contract.LimitsMoved():
                self.respond_by, self.warn_at, self.due_at = event.respond_by, event.warn_at, event.due_at
                self.due_unpaused, self.escalates_from = event.due_unpaused, event.next_at
                self.calendar_version = event.calendar_version
            case contract.CaseAccepted():
                self.responded, self.was_accepted, self.call_at = True, True, None
            case contract.CasePaused():
                self.paused_at, self.paused_until = event.paused_at, event.until
                self.due_unpaused, self.due_at = self.due_at, event.due_at
            case contract.CaseResumed():
                self.respond_by, self.warn_at, self.due_at = event.respond_by, event.warn_at, event.due_at
                self.paused_at = self.paused_until = self.due_unpaused = None
                self.paused_hours += event.paused_hours
                self.escalates_from = event.next_at
            case contract.CaseWarned():
                self.warned = True
            case contract.CaseOverdue():
                self.warned = self.overdue = True
            case contract.CaseEscalated():
                self.level, self.owner_id, self.owner_place = event.level, event.owner_id, event.owner_place
                self.escalates_from, self.call_at = event.next_at, None if self.at_top else self.call_at
            case _:
                assert_never(event)

    def _end(self, event: contract.EndEvent) -> None:
        self.overdue, self.calendar_version = False, None
        self.due_at = self.due_unpaused or self.due_at
        self.paused_at = self.paused_until = self.due_unpaused = None
        if isinstance(event, WithEnd):
            self.retained_since = event.ended_at
        match event:
            case contract.CaseResolved():
                self.outcome, self.answer, self.resolved_at = event.outcome, event.answer, event.resolved_at
            case contract.CaseClosed():
                self.closed_because = event.reason
            case contract.CaseRejected():
                self.closed_because, self.answer = event.reason, event.answer
            case contract.CaseCancelled():
                self.closed_because = CloseReason.WITHDRAWN
            case _:
                assert_never(event)

    def _take_feedback(self, event: contract.ResidentFeedback) -> None:
        match event:
            case contract.CaseRated():
                self.score, self.solved = event.score, event.solved
            case contract.CaseUrged():
                self.urged, self.urged_at = event.times, event.urged_at
            case _:
                assert_never(event)

    def _next_tick(self) -> datetime | None:
        if self.state is State.SUSPENDED:
            return self.paused_until
        if self.state in DONE:
            return self.resolved_at and self.resolved_at + REOPENABLE
        if self.state not in RUNNING:
            return None
        warn_at, due_at = None if self.warned else self.warn_at, None if self.overdue else self.due_at
        marks = (warn_at, due_at, self.escalates_at, self.call_at)
        return min((mark for mark in marks if mark is not None), default=None)
