"""The table of steps: who may take them, in which states, and with which precondition. Every rule uses it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import SYSTEM, Actor
from services.contracts.members.roles import Role
from services.contracts.requests.cases import MOST_RETURNS, CaseClosed, CaseRated, CloseReason
from services.requests.cases.model import PAUSABLE, READERS, REOPENABLE, STAFF, Case
from services.requests.cases.states.model import DONE, HELD, OPEN, WAITING, State
from services.requests.cases.taking.model import Called

REOPENINGS = 2
URGE_AGAIN = timedelta(hours=24)


class StepNotAllowed(Refusal):
    kind = Kind.STATE


class NotYourStep(Refusal):
    kind = Kind.FORBIDDEN


class OwnCase(Refusal):
    kind = Kind.FORBIDDEN


class FiledByYou(Refusal):
    kind = Kind.FORBIDDEN


class TeamNotCertain(Refusal):
    kind = Kind.UNAVAILABLE


class AssignmentForced(Refusal):
    kind = Kind.STATE


class SupervisorDecides(Refusal):
    kind = Kind.STATE


class SupervisorPauses(Refusal):
    kind = Kind.STATE


class PausesSpent(Refusal):
    kind = Kind.STATE


class ReopenedTooOften(Refusal):
    kind = Kind.STATE


class ReopenTooLate(Refusal):
    kind = Kind.STATE


class WordsForgotten(Refusal):
    kind = Kind.STATE


class NoDangerNamed(Refusal):
    kind = Kind.STATE


class RatedAlready(Refusal):
    kind = Kind.STATE


class UrgedToday(Refusal):
    kind = Kind.TOO_MANY


class Step(StrEnum):
    """A step of a case; its value is the last part of the route."""

    VERIFY = "verify"
    ROUTE = "route"
    REJECT = "reject"
    CANCEL = "cancel"
    TEAM = "team"
    HANDLER = "handler"
    ACCEPT = "accept"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    RETURN = "return"
    RESOLVE = "resolve"
    CALL_BACK = "call-back"
    RATE = "rate"
    REOPEN = "reopen"
    CLOSE = "close"
    COMMENT = "comment"
    URGE = "urge"
    NO_DANGER = "no-danger"
    FORGET = "forget"


Precondition = Callable[[Case, Actor, datetime], Refusal | None]


def _nothing(*_: object) -> Refusal | None:
    return None


def _forced(case: Case, *_: object) -> Refusal | None:
    return AssignmentForced() if case.forced else None


def _certain(case: Case, *_: object) -> Refusal | None:
    """A team may yet be full: then the case goes on to somebody else."""
    return None if case.announced else TeamNotCertain(retry_after=1)


def _for_supervisor(case: Case, actor: Actor, _: datetime) -> Refusal | None:
    if case.returns < MOST_RETURNS or actor.has(Role.SUPERVISOR, SYSTEM):
        return None
    return SupervisorDecides(returns=case.returns)


def _pausing(case: Case, actor: Actor, now: datetime) -> Refusal | None:
    if (case.overdue or case.due_at <= now) and not actor.has(Role.SUPERVISOR, SYSTEM):
        return SupervisorPauses()
    return PausesSpent(hours=PAUSABLE) if case.pausable_hours == 0 else None


def _reopening(case: Case, _: Actor, now: datetime) -> Refusal | None:
    if case.reopened >= REOPENINGS:
        return ReopenedTooOften(times=case.reopened)
    if case.resolved_at is None or now > case.resolved_at + REOPENABLE:
        return ReopenTooLate(days=REOPENABLE.days)
    return None


def _marked(case: Case, *_: object) -> Refusal | None:
    return None if case.danger_named and not case.unfounded else NoDangerNamed()


def _rated(case: Case, *_: object) -> Refusal | None:
    return RatedAlready() if case.score is not None else None


def _urged(case: Case, _: Actor, now: datetime) -> Refusal | None:
    if case.urged_at is None or now >= case.urged_at + URGE_AGAIN:
        return None
    return UrgedToday(retry_after=-((now - case.urged_at - URGE_AGAIN) // timedelta(seconds=1)))


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table.

    ``precondition`` must hold besides role and state; ``needs`` are the required fields of the body. Who is ``called``
    about the case may take the step as well. ``by_another``: not for who filed it, so that nobody of the staff both
    asks for something and says that it was done. ``live`` as in ``usecase``.
    """

    roles: tuple[Role, ...]
    states: frozenset[State]
    precondition: Precondition = _nothing
    method: str = "POST"
    needs: tuple[str, ...] = ()
    called: Called | None = None
    by_another: bool = False
    live: bool = False


_ASKS, _DOES = (Role.RESIDENT, Role.OPERATOR), (Role.HANDLER,)
_DIRECTS = (Role.DISPATCHER, Role.SUPERVISOR)
_ENDS = (Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR)

_CALLED = Called((Role.HANDLER, *_DIRECTS), WAITING | {State.DISPATCHED})
_ASSIGNABLE = OPEN - {State.SUSPENDED}
_ACCEPTED_OR_STARTED = frozenset((State.ACCEPTED, State.IN_PROGRESS))
_AFTER = DONE | {State.CLOSED}
_OVER = frozenset((State.CLOSED, State.REJECTED, State.CANCELLED))

STEPS: Mapping[Step, Rule] = {
    Step.VERIFY: Rule(_DIRECTS, frozenset((State.NEW,))),
    Step.ROUTE: Rule(_DIRECTS, WAITING, _for_supervisor),
    Step.REJECT: Rule(_DIRECTS, WAITING | {State.DISPATCHED}, _for_supervisor, needs=("answer",)),
    Step.CANCEL: Rule(_ASKS, OPEN),
    Step.TEAM: Rule(_DIRECTS, _ASSIGNABLE, _for_supervisor, "PUT", ("team_id",)),
    Step.HANDLER: Rule(_DIRECTS, _ASSIGNABLE, _for_supervisor, "PUT", ("organisation_id",)),
    Step.ACCEPT: Rule(_DOES, frozenset((State.DISPATCHED,)), _certain, called=_CALLED, by_another=True),
    Step.START: Rule(_DOES, frozenset((State.ACCEPTED,)), by_another=True),
    Step.PAUSE: Rule((Role.HANDLER, Role.SUPERVISOR), _ACCEPTED_OR_STARTED, _pausing, needs=("reason",)),
    Step.RESUME: Rule((Role.HANDLER, Role.SUPERVISOR), frozenset((State.SUSPENDED,))),
    Step.RETURN: Rule(_DOES, HELD - {State.SUSPENDED}, _forced, needs=("reason",)),
    Step.RESOLVE: Rule(_DOES, _ACCEPTED_OR_STARTED, needs=("answer",), by_another=True),
    Step.CALL_BACK: Rule(_ENDS, DONE, needs=("reached",), by_another=True),
    Step.RATE: Rule((Role.RESIDENT,), _AFTER, _rated, needs=("score", "solved")),
    Step.REOPEN: Rule(_ASKS, _AFTER, _reopening, needs=("reason",)),
    Step.CLOSE: Rule(_ENDS, DONE, by_another=True),
    Step.COMMENT: Rule(READERS, frozenset(State), needs=("text",)),
    Step.URGE: Rule(_ASKS, OPEN, _urged),
    Step.NO_DANGER: Rule(STAFF, OPEN, _marked, needs=("reason",)),
    Step.FORGET: Rule((Role.ADMINISTRATOR,), _OVER, needs=("because",), live=True),
}
"""Who may take which step in which state. No other place says so."""


@dataclass(frozen=True, slots=True)
class Entitlement:
    """By what a role holds for one case, in words and as a rule."""

    words: str
    applies: Callable[[Case, Actor], bool]


def _in_place(case: Case, actor: Actor) -> bool:
    return actor.is_in_charge_of(case.places()) and not case.is_of(actor)


def _has_it(case: Case, actor: Actor) -> bool:
    return case.handler_id in actor.organisations and not case.is_of(actor)


_IN_PLACE = Entitlement("of a place in which the case lies, and not with one's own", _in_place)

ENTITLED: Mapping[Role, Entitlement] = {
    Role.RESIDENT: Entitlement("of one's own case", lambda case, actor: case.is_of(actor)),
    Role.HANDLER: Entitlement("whose organisation or team has the case, and not with one's own", _has_it),
    Role.OPERATOR: _IN_PLACE,
    Role.DISPATCHER: _IN_PLACE,
    Role.SUPERVISOR: _IN_PLACE,
    Role.ADMINISTRATOR: _IN_PLACE,
}
"""For which cases each role holds: nobody of the staff decides about what they asked for themselves."""


def may(step: Step) -> tuple[Role, ...]:
    """The roles that may take a step at all."""
    rule = STEPS[step]
    return tuple(dict.fromkeys((*rule.roles, *(rule.called.roles if rule.called else ()))))


def is_entitled(case: Case, actor: Actor, *roles: Role) -> bool:
    """Whether an actor has one of these roles for this case."""
    return any(actor.has(role) and ENTITLED[role].applies(case, actor) for role in roles)


def expect(case: Case, step: Step, actor: Actor, now: datetime) -> None:
    """Refuse a step that this actor may not take with this case now.

    NotYourStep, OwnCase, FiledByYou, StepNotAllowed, WordsForgotten, or the refusal of the precondition.
    """
    rule = STEPS[step]
    if _is_called(rule, case, actor):
        return
    if not actor.has(SYSTEM) and not is_entitled(case, actor, *rule.roles):
        raise OwnCase if case.is_of(actor) else NotYourStep
    if _needs_another(rule, case, actor):
        raise FiledByYou
    if case.forgotten is not None:
        raise WordsForgotten
    if case.state not in rule.states:
        raise StepNotAllowed(step=step, state=case.state, allowed=allowed(case, actor, now))
    refusal = rule.precondition(case, actor, now)
    if refusal is not None:
        raise refusal


def allowed(case: Case, actor: Actor, now: datetime) -> list[Step]:
    """The steps that this actor may take with this case now: none once it is forgotten."""
    if case.forgotten is not None:
        return []
    return [
        step
        for step, rule in STEPS.items()
        if _is_called(rule, case, actor)
        or (
            case.state in rule.states
            and is_entitled(case, actor, *rule.roles)
            and not _needs_another(rule, case, actor)
            and rule.precondition(case, actor, now) is None
        )
    ]


def _needs_another(rule: Rule, case: Case, actor: Actor) -> bool:
    return rule.by_another and case.filed_by == actor.id


def _is_called(rule: Rule, case: Case, actor: Actor) -> bool:
    return rule.called is not None and rule.called.applies(case, actor)


def rate(case: Case, rating: CaseRated, now: datetime) -> None:
    """Record the resident's rating; if the matter is solved, the case is closed with it."""
    case.record(rating)
    if rating.solved and case.state in DONE:
        case.record(CaseClosed(reason=case.outcome or CloseReason.FIXED, ended_at=now))
