"""Who files for whom, and where."""

from services.chassis.domain.refusals import Forbidden, Kind, Refusal
from services.chassis.domain.scope import Actor
from services.contracts.members.roles import Role
from services.contracts.requests.cases import CaseReopened, Channel
from services.requests.cases.dispatch.model import Choice, Nearby, choose, supervisor
from services.requests.cases.model import Case
from services.requests.providers.model import AreaCopy


class ResidentMissing(Refusal):
    kind = Kind.INVALID


class CallerUnknown(Refusal):
    kind = Kind.UNAVAILABLE


class PositionHalved(Refusal):
    kind = Kind.INVALID


class AreaOutsideYours(Refusal):
    kind = Kind.FORBIDDEN


def resident_of(actor: Actor, on_behalf_of: str | None) -> tuple[str, Channel]:
    """Whose request it is and how it came in; Forbidden, ResidentMissing."""
    if on_behalf_of is not None:
        if not actor.has(Role.OPERATOR):
            raise Forbidden(roles=Role.OPERATOR)
        return on_behalf_of, Channel.ON_BEHALF
    if not actor.has(Role.RESIDENT) or actor.person is None:
        raise ResidentMissing
    return actor.person, Channel.SELF


def position(latitude: float | None, longitude: float | None) -> str | None:
    """Where it is, as one text, because it is sealed like an address; PositionHalved."""
    if (latitude is None) != (longitude is None):
        raise PositionHalved
    return None if latitude is None else f"{latitude} {longitude}"


def expect_within(actor: Actor, place: AreaCopy, channel: Channel) -> None:
    """Refuse an operator's filing outside the operator's own places; residents may ask for help anywhere."""
    if channel is Channel.ON_BEHALF and set(actor.places).isdisjoint(place.places()):
        raise AreaOutsideYours(area=place.id)


def reopen(case: Case, reopened: CaseReopened, near: Nearby) -> Choice | None:
    """Take a case up again; whoever is to do it is somebody who has not had it yet, else the supervisor."""
    tried = [*case.tried]
    case.record(reopened)
    return choose(case, near, tried) or supervisor(near, tried) or supervisor(near)
