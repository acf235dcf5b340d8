"""Who may file for whom, and where."""

from services.chassis.domain.refusals import Forbidden, Kind, Refusal
from services.chassis.domain.scope import Actor
from services.contracts.members.roles import Role
from services.contracts.requests.cases import CaseReopened
from services.requests.cases.dispatch.model import Choice, Nearby, choose, supervisor
from services.requests.cases.model import Case


class ResidentMissing(Refusal):
    kind = Kind.INVALID


class CallerUnknown(Refusal):
    kind = Kind.UNAVAILABLE


class PositionHalved(Refusal):
    kind = Kind.INVALID


class AreaOutsideYours(Refusal):
    kind = Kind.FORBIDDEN


def expect_filer(actor: Actor, on_behalf_of: str | None) -> None:
    """Refuse who may not file for this person: Forbidden; ResidentMissing where it is for nobody."""
    if on_behalf_of is not None:
        if not actor.has(Role.OPERATOR):
            raise Forbidden(roles=Role.OPERATOR)
    elif not actor.has(Role.RESIDENT) or actor.person is None:
        raise ResidentMissing


def position(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    """The position, where it is told; PositionHalved."""
    if latitude is None or longitude is None:
        if latitude != longitude:
            raise PositionHalved
        return None
    return latitude, longitude


def written(position: tuple[float, float] | None) -> str | None:
    """The position as one text, because it is sealed like an address."""
    return position and f"{position[0]} {position[1]}"


def reopen(case: Case, reopened: CaseReopened, near: Nearby) -> Choice | None:
    """Reopen a case. Its new handler has not had it yet; without one, the supervisor."""
    tried = [*case.tried]
    case.record(reopened)
    return choose(case, near, tried) or supervisor(near, tried) or supervisor(near)
