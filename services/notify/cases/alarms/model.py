"""Who hears of the calls about a case of danger, and the conditions of the rules about danger."""

from dataclasses import dataclass

from services.contracts.members.areas import LENGTHS, Level, path
from services.contracts.members.roles import Role
from services.contracts.requests.alarms import CaseCalled
from services.contracts.requests.cases import EscalationCause
from services.notify.audience.model import post
from services.notify.audience.queries import Address, Choices
from services.notify.cases.model import Case
from services.notify.cases.parties.model import certain, routed_again
from services.notify.rules.model import Audience, Occurrence


@dataclass(frozen=True)
class OnCall:
    """Who is called: the one on call whom the event names; when somebody accepts, those who were called before."""

    party = "on call"
    staff = True

    def choices(self, what: Occurrence[Case]) -> Choices:
        """By name."""
        event = what.event
        called = [event.person_id] if isinstance(event, CaseCalled) else what.copy.called
        return [[Address("person", person) for person in called if person is not None]]


@dataclass(frozen=True)
class Watch:
    """Those who see to it that somebody is on call at the place up to which calls have come."""

    party = "level"
    staff = True

    def choices(self, what: Occurrence[Case]) -> Choices:
        """The posts of the place, and where there are none of those above it; at the top its administrators as well."""
        return [
            [Address("post", post(role, place)) for role in _watching(place)]
            for place in reversed(path(what.event.place))
        ]


ON_CALL, LEVEL = OnCall(), Watch()
CALLED: tuple[Audience[Case], ...] = (ON_CALL, LEVEL)


def calm(what: Occurrence[Case]) -> bool:
    """The handler is no team, and nobody is in danger."""
    return certain(what) and not what.copy.in_danger


def calm_again(what: Occurrence[Case]) -> bool:
    """Nobody is in danger, and the handler is no team and not the first one."""
    return calm(what) and routed_again(what)


def alarming(what: Occurrence[Case]) -> bool:
    """Somebody may be in danger, and the handler is no team."""
    return certain(what) and what.copy.in_danger


def alarming_again(what: Occurrence[Case]) -> bool:
    """Somebody may be in danger, and nobody else is called: the handler is not the first one."""
    return alarming(what) and not what.copy.linked and routed_again(what)


def in_danger(what: Occurrence[Case]) -> bool:
    """Somebody may be in danger."""
    return what.copy.in_danger


def somebody_was_called(what: Occurrence[Case]) -> bool:
    """Somebody was called about it before."""
    return bool(what.copy.called)


def first_called(what: Occurrence[Case]) -> bool:
    """It is the first call about it."""
    return bool(what.event.step == 1)


def somebody_called(what: Occurrence[Case]) -> bool:
    """Somebody is on call there."""
    return what.event.person_id is not None


def nobody_on_call(what: Occurrence[Case]) -> bool:
    """Nobody is on call there."""
    return what.event.person_id is None


def nobody_at_top(what: Occurrence[Case]) -> bool:
    """Nobody is on call at the top, above which there is nobody to call."""
    return nobody_on_call(what) and len(what.event.place) == LENGTHS[Level.CITY]


def unaccepted_danger(what: Occurrence[Case]) -> bool:
    """Somebody may be in danger, and it goes up because nobody has accepted it."""
    return what.copy.in_danger and what.event.because in (EscalationCause.UNACCEPTED, EscalationCause.UNASSIGNED)


def _watching(place: str) -> tuple[Role, ...]:
    if len(place) == LENGTHS[Level.CITY]:
        return Role.DISPATCHER, Role.SUPERVISOR, Role.ADMINISTRATOR
    return (Role.DISPATCHER, Role.SUPERVISOR) if len(place) == LENGTHS[Level.COUNTY] else (Role.DISPATCHER,)
