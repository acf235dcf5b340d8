"""Who has a stake in a case: where each party is found, and the conditions of the rules."""

from dataclasses import dataclass

from services.contracts.members.areas import LENGTHS, Level, path
from services.contracts.members.roles import Role
from services.contracts.members.teams import is_team
from services.contracts.requests.case_parts import LeavesHandler
from services.contracts.requests.cases import MOST_RETURNS, CaseEscalated, CloseReason, EscalationCause
from services.notify.audience.model import post
from services.notify.audience.queries import Address, Choices
from services.notify.cases.model import Case
from services.notify.rules.model import Audience, Occurrence


@dataclass(frozen=True)
class Resident:
    """The resident whose case it is."""

    party = "resident"
    staff = False

    def choices(self, what: Occurrence[Case]) -> Choices:
        """One person."""
        return [[Address("person", what.copy.resident_id)]]


@dataclass(frozen=True)
class Operator:
    """Who filed it for a caller."""

    party = "operator"
    staff = True

    def choices(self, what: Occurrence[Case]) -> Choices:
        """One account; none where the resident filed it. That of somebody who has left is not found."""
        return [[Address("account", what.copy.operator)]] if what.copy.operator else []


@dataclass(frozen=True)
class Handler:
    """Those who work for the organisation or team that has the case, with its leader."""

    party = "handler"
    staff = True

    def choices(self, what: Occurrence[Case]) -> Choices:
        """As the event says: the copy may be ahead of it."""
        handler = what.event.handler_id
        return [[Address("organisation", handler)]] if handler else []


@dataclass(frozen=True)
class Volunteers:
    """The members of the team that has the case: they are called, but may not see what is said among staff."""

    party = "volunteers"
    staff = True

    def choices(self, what: Occurrence[Case]) -> Choices:
        """The team that the event names; nobody where an organisation has the case."""
        team = what.event.handler_id
        return [[Address("team", team)]] if team and is_team(team) else []


@dataclass(frozen=True)
class Previous:
    """Those who had it until this event: who works there, its leader, and the members of a team."""

    party = "previous handler"
    staff = True

    def choices(self, what: Occurrence[Case]) -> Choices:
        """As the event says."""
        event: LeavesHandler = what.event
        if event.from_id is None:
            return []
        members = [Address("team", event.from_id)] if event.from_team else []
        return [[Address("organisation", event.from_id), *members]]


@dataclass(frozen=True)
class Dispatchers:
    """The dispatchers of the case's place; without any, the supervisors above it."""

    party = "dispatchers"
    staff = True

    def choices(self, what: Occurrence[Case]) -> Choices:
        """The posts of the sub-district, then of the county, then of the city."""
        above = [level for level in reversed(path(what.copy.area)) if len(level) <= LENGTHS[Level.SUB_DISTRICT]]
        return [[_at(Role.DISPATCHER, place), *_supervising(place)] for place in above]


@dataclass(frozen=True)
class Supervisors:
    """Those who supervise above the case, the nearest first."""

    party = "supervisors"
    staff = True

    def choices(self, what: Occurrence[Case]) -> Choices:
        """The posts of the county, then of the city."""
        return [[_at(Role.SUPERVISOR, place)] for place in reversed(path(what.copy.area)[:2])]


@dataclass(frozen=True)
class Owner:
    """Those who answer for the level to which a case has gone up."""

    party = "owner"
    staff = True

    def choices(self, what: Occurrence[Case]) -> Choices:
        """The owning organisation and the posts of its place; else the supervisors above. Nobody before it goes up."""
        event = what.event
        place = event.owner_place if isinstance(event, CaseEscalated) else what.copy.owner_place
        owner = event.owner_id if isinstance(event, CaseEscalated) else what.copy.owner_id
        if place is None:
            return []
        owning = [Address("organisation", owner)] if owner else []
        posts = [_at(Role.SUPERVISOR, place)] if len(place) <= LENGTHS[Level.COUNTY] else [_at(Role.DISPATCHER, place)]
        return [[*owning, *posts], *Supervisors().choices(what)]


@dataclass(frozen=True)
class Followers:
    """Those who would have asked for the same, and follow it instead."""

    party = "followers"
    staff = False

    def choices(self, what: Occurrence[Case]) -> Choices:
        """Each of them by name."""
        return [[Address("person", person) for person in what.copy.followers]] if what.copy.followers else []


RESIDENT, OPERATOR, HANDLER, VOLUNTEERS, PREVIOUS = Resident(), Operator(), Handler(), Volunteers(), Previous()
DISPATCHERS, SUPERVISORS, OWNER, FOLLOWERS = Dispatchers(), Supervisors(), Owner(), Followers()
PARTIES: tuple[Audience[Case], ...] = (
    RESIDENT,
    OPERATOR,
    HANDLER,
    VOLUNTEERS,
    PREVIOUS,
    DISPATCHERS,
    SUPERVISORS,
    OWNER,
    FOLLOWERS,
)


def certain(what: Occurrence[Case]) -> bool:
    """The handler is no volunteer team, which may have no slot for it."""
    return not is_team(what.event.handler_id)


def first_routed(what: Occurrence[Case]) -> bool:
    """It is assigned, or found to have no possible handler, for the first time."""
    return what.version == what.copy.routed


def routed_again(what: Occurrence[Case]) -> bool:
    """It was given to somebody before."""
    return not first_routed(what)


def certain_first(what: Occurrence[Case]) -> bool:
    """The handler is no team, and the first one."""
    return certain(what) and first_routed(what)


def certain_first_advised(what: Occurrence[Case]) -> bool:
    """It is certain for the first time who has it, and its resident is told what to do at once."""
    return certain_first(what) and what.copy.advice is not None


def certain_first_in_danger(what: Occurrence[Case]) -> bool:
    """The same, and somebody may be in danger now: its words or its answers say so."""
    return certain_first_advised(what) and in_danger(what)


def first_routed_advised(what: Occurrence[Case]) -> bool:
    """It is settled for the first time who has it, or that nobody can, and its resident is told what to do at once."""
    return first_routed(what) and what.copy.advice is not None


def first_routed_in_danger(what: Occurrence[Case]) -> bool:
    """The same, and somebody may be in danger now: its words or its answers say so."""
    return first_routed_advised(what) and in_danger(what)


def in_danger(what: Occurrence[Case]) -> bool:
    """Its words name a danger, or it is a case of danger; an item may have advice whatever is said."""
    return what.copy.danger_named or what.copy.in_danger


def certain_again(what: Occurrence[Case]) -> bool:
    """The handler is no team, and not the first one."""
    return certain(what) and routed_again(what)


def was_theirs(what: Occurrence[Case]) -> bool:
    """They had been told that they have it."""
    return bool(what.event.from_announced and what.event.from_id != getattr(what.event, "handler_id", None))


def nobody_had_it(what: Occurrence[Case]) -> bool:
    """It waited to be dispatched."""
    return what.event.from_id is None


def returned_often(what: Occurrence[Case]) -> bool:
    """The supervisor decides now."""
    return bool(what.event.times >= MOST_RETURNS)


def returned_seldom(what: Occurrence[Case]) -> bool:
    """The dispatchers still decide."""
    return not returned_often(what)


def for_resident(what: Occurrence[Case]) -> bool:
    """By another than the resident, in the resident's name."""
    return not what.event.by_resident


def says_resident(what: Occurrence[Case]) -> bool:
    """The words are the resident's, or passed on for them."""
    return bool(what.event.from_resident)


def answers_resident(what: Occurrence[Case]) -> bool:
    """Staff wrote it for the resident to read."""
    return bool(what.event.public and not what.event.from_resident)


def among_staff(what: Occurrence[Case]) -> bool:
    """It is a note among staff."""
    return not what.event.public and not what.event.from_resident


def not_withdrawn(what: Occurrence[Case]) -> bool:
    """It ended otherwise than by its resident's withdrawal."""
    return bool(what.event.reason != CloseReason.WITHDRAWN)


def not_returned(what: Occurrence[Case]) -> bool:
    """It goes up for another reason than too many returns."""
    return bool(what.event.because != EscalationCause.RETURNED)


def not_accepted(what: Occurrence[Case]) -> bool:
    """It goes up because it was not accepted in time."""
    return bool(what.event.because == EscalationCause.UNACCEPTED)


def due_moved(what: Occurrence[Case]) -> bool:
    """It is due at another time than before."""
    return bool(what.event.due_at != what.event.was_due_at)


def _at(role: Role, place: str) -> Address:
    return Address("post", post(role, place))


def _supervising(place: str) -> list[Address]:
    return [_at(Role.SUPERVISOR, place)] if len(place) <= LENGTHS[Level.COUNTY] else []
