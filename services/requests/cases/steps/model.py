"""One table of steps: who may take them, in which states, and what else bars them. Every rule asks it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import SYSTEM, Actor
from services.contracts.members.roles import Role
from services.contracts.requests.cases import CaseClosed, CaseRated, CloseReason
from services.contracts.requests.catalogue import Words
from services.requests.cases.model import PAUSABLE, READERS, REOPENABLE, RETURNS, Case
from services.requests.cases.states.model import DONE, HELD, OPEN, STATE_NAMES, WAITING, State

REOPENINGS = 2
URGE_AGAIN = timedelta(hours=24)


class StepNotAllowed(Refusal):
    kind = Kind.STATE
    zh = "现在的状态是“{state_name}”，不能“{step_name}”；现在可以：{allowed_names}。"
    en = "The case is {state_name!r} now, which does not allow {step_name!r}. What you may do now: {allowed_names}."

    def sentence(self, language: str) -> str:
        """With the names of state and steps in the language asked for."""
        zh = language == "zh"
        steps = [STEPS[Step(name)].name for name in (self.params["step"], *self.params["allowed"])]
        step, *allowed = [words.zh if zh else words.en for words in steps]
        state = STATE_NAMES[State(self.params["state"])]
        return (self.zh if zh else self.en).format(
            state_name=state.zh if zh else state.en,
            step_name=step,
            allowed_names=("、" if zh else ", ").join(allowed) or ("无" if zh else "nothing"),
        )


class NotYourStep(Refusal):
    kind = Kind.FORBIDDEN
    zh = "这件诉求您可以查看，但这一步要由承办它的单位或有权的人员来做。"
    en = "You may see this case, but this step is for those who have it or answer for its place."


class AssignmentForced(Refusal):
    kind = Kind.STATE
    zh = "这件诉求已由督办人员指定承办，不能再退单；请办理，或与督办人员联系。"
    en = "The supervisor has given this case to you for good: it cannot be returned. Do it, or talk to the supervisor."


class SupervisorDecides(Refusal):
    kind = Kind.STATE
    zh = "这件诉求已被退单 {returns} 次，只能由督办人员指定承办单位。"
    en = "This case has been returned {returns} times: only the supervisor decides now who does it."


class SupervisorPauses(Refusal):
    kind = Kind.STATE
    zh = "这件诉求已超过办理期限，只有督办人员可以暂停；请尽快办理，或与督办人员联系。"
    en = "This case is late: only the supervisor may suspend it now. Settle it, or talk to the supervisor."


class PausesSpent(Refusal):
    kind = Kind.STATE
    zh = "这件诉求累计已暂停 {hours} 个工作小时，不能再暂停；请继续办理。"
    en = "This case has stood for {hours} working hours in all, which is the most. Go on with it."


class ReopenedTooOften(Refusal):
    kind = Kind.STATE
    zh = "这件诉求已重新办理 {times} 次，不能再次重开；请另提一件诉求或拨打热线。"
    en = "This case has been reopened {times} times, which is the most. File a new request or call the hotline."


class ReopenTooLate(Refusal):
    kind = Kind.STATE
    zh = "办结后 {days} 天内可以要求重新办理，现已超过。请另提一件诉求。"
    en = "A case can be reopened within {days} days of its resolution; they are over. File a new request."


class RatedAlready(Refusal):
    kind = Kind.STATE
    zh = "您已经评价过这件诉求。"
    en = "You have rated this case already."


class UrgedToday(Refusal):
    kind = Kind.TOO_MANY
    zh = "每件诉求每天可以催办一次，请在 {retry_after} 秒后再试。"
    en = "A case can be urged once a day. Try again in {retry_after} s."


class Step(StrEnum):
    """What can be done with a case; the value is the last part of its address."""

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


Precondition = Callable[[Case, Actor, datetime], Refusal | None]


def _nothing(*_: object) -> Refusal | None:
    return None


def _forced(case: Case, *_: object) -> Refusal | None:
    return AssignmentForced() if case.forced else None


def _for_supervisor(case: Case, actor: Actor, _: datetime) -> Refusal | None:
    if case.returns < RETURNS or actor.has(Role.SUPERVISOR, SYSTEM):
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


def _rated(case: Case, *_: object) -> Refusal | None:
    return RatedAlready() if case.score is not None else None


def _urged(case: Case, _: Actor, now: datetime) -> Refusal | None:
    if case.urged_at is None or now >= case.urged_at + URGE_AGAIN:
        return None
    return UrgedToday(retry_after=-((now - case.urged_at - URGE_AGAIN) // timedelta(seconds=1)))


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table; ``bar`` is what may stand against it besides role and state, ``needs`` its fields."""

    name: Words
    roles: tuple[Role, ...]
    states: frozenset[State]
    precondition: Precondition = _nothing
    method: str = "POST"
    needs: tuple[str, ...] = ()


def _rule(
    zh: str,
    en: str,
    roles: tuple[Role, ...],
    states: frozenset[State],
    precondition: Precondition = _nothing,
    *,
    needs: str = "",
) -> Rule:
    return Rule(Words(zh=zh, en=en), roles, states, precondition, needs=tuple(needs.split()))


_ASKS = (Role.RESIDENT, Role.OPERATOR)
_DOES = (Role.HANDLER,)
_DIRECTS = (Role.DISPATCHER, Role.SUPERVISOR)
_ENDS = (Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR)

_ASSIGNABLE = OPEN - {State.SUSPENDED}
_TAKEN = frozenset((State.ACCEPTED, State.IN_PROGRESS))
_AFTER = DONE | {State.CLOSED}

_TEAM, _BODY = Words(zh="派给志愿队", en="give to a team"), Words(zh="派给单位", en="give to a body")

STEPS: Mapping[Step, Rule] = {
    Step.VERIFY: _rule("核实", "verify", _DIRECTS, frozenset((State.NEW,))),
    Step.ROUTE: _rule("按规则派单", "route by the rules", _DIRECTS, WAITING, _for_supervisor),
    Step.REJECT: _rule("不予受理", "reject", _DIRECTS, WAITING | {State.DISPATCHED}, _for_supervisor, needs="answer"),
    Step.CANCEL: _rule("撤回", "cancel", _ASKS, OPEN),
    Step.TEAM: Rule(_TEAM, _DIRECTS, _ASSIGNABLE, _for_supervisor, "PUT", ("team_id",)),
    Step.HANDLER: Rule(_BODY, _DIRECTS, _ASSIGNABLE, _for_supervisor, "PUT", ("organisation_id",)),
    Step.ACCEPT: _rule("接单", "accept", _DOES, frozenset((State.DISPATCHED,))),
    Step.START: _rule("开始办理", "start", _DOES, frozenset((State.ACCEPTED,))),
    Step.PAUSE: _rule("暂停", "pause", (Role.HANDLER, Role.SUPERVISOR), _TAKEN, _pausing, needs="reason"),
    Step.RESUME: _rule("恢复办理", "resume", (Role.HANDLER, Role.SUPERVISOR), frozenset((State.SUSPENDED,))),
    Step.RETURN: _rule("退单", "return", _DOES, HELD - {State.SUSPENDED}, _forced, needs="reason"),
    Step.RESOLVE: _rule("办结", "resolve", _DOES, _TAKEN, needs="answer"),
    Step.CALL_BACK: _rule("回访", "call back", _ENDS, DONE, needs="reached"),
    Step.RATE: _rule("评价", "rate", (Role.RESIDENT,), _AFTER, _rated, needs="score solved"),
    Step.REOPEN: _rule("重新办理", "reopen", _ASKS, _AFTER, _reopening, needs="reason"),
    Step.CLOSE: _rule("归档", "close", _ENDS, DONE),
    Step.COMMENT: _rule("留言", "comment", READERS, frozenset(State), needs="text"),
    Step.URGE: _rule("催办", "urge", _ASKS, OPEN, _urged),
}
"""Who may do what in which state: the only place that says so."""


@dataclass(frozen=True, slots=True)
class Entitlement:
    """By what a role holds for one case, in words and as a rule."""

    words: str
    holds: Callable[[Case, Actor], bool]


_IN_PLACE = Entitlement("of a place in which the case lies", lambda case, actor: actor.is_in_charge_of(case.places()))

ENTITLED: Mapping[Role, Entitlement] = {
    Role.RESIDENT: Entitlement("of one's own case", lambda case, actor: case.is_of(actor)),
    Role.HANDLER: Entitlement(
        "whose organisation or team has the case", lambda case, actor: case.handler_id in actor.organisations
    ),
    Role.OPERATOR: _IN_PLACE,
    Role.DISPATCHER: _IN_PLACE,
    Role.SUPERVISOR: _IN_PLACE,
}
"""For which cases each role holds."""


def may(step: Step) -> tuple[Role, ...]:
    """The roles that may take a step at all."""
    return STEPS[step].roles


def is_entitled(case: Case, actor: Actor, *roles: Role) -> bool:
    """Whether an actor holds one of these roles for this case."""
    return any(actor.has(role) and ENTITLED[role].holds(case, actor) for role in roles)


def expect(case: Case, step: Step, actor: Actor, now: datetime) -> None:
    """Refuse a step that this actor may not take with this case now: NotYourStep, StepNotAllowed, or what bars it."""
    rule = STEPS[step]
    if not actor.has(SYSTEM) and not is_entitled(case, actor, *rule.roles):
        raise NotYourStep
    if case.state not in rule.states:
        raise StepNotAllowed(step=step, state=case.state, allowed=allowed(case, actor, now))
    refusal = rule.precondition(case, actor, now)
    if refusal is not None:
        raise refusal


def allowed(case: Case, actor: Actor, now: datetime) -> list[Step]:
    """The steps that this actor may take with this case now."""
    return [
        step
        for step, rule in STEPS.items()
        if case.state in rule.states
        and is_entitled(case, actor, *rule.roles)
        and rule.precondition(case, actor, now) is None
    ]


def rate(case: Case, rating: CaseRated) -> None:
    """Take the resident's rating; one that says the matter is settled closes the case."""
    case.record(rating)
    if rating.solved and case.state in DONE:
        case.record(CaseClosed(reason=case.outcome or CloseReason.FIXED))
