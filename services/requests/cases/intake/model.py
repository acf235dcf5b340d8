"""Who files for whom, and where."""

from services.chassis.domain.refusals import Forbidden, Kind, Refusal
from services.chassis.domain.scope import Actor
from services.contracts.members.roles import Role
from services.contracts.requests.cases import CaseReopened
from services.requests.cases.dispatch.model import Choice, Nearby, choose, supervisor
from services.requests.cases.model import Case


class ResidentMissing(Refusal):
    kind = Kind.INVALID
    zh = "请在 on_behalf_of 中说明是替哪位居民提出的。"
    en = "Say in on_behalf_of for which resident this is."


class CallerUnknown(Refusal):
    kind = Kind.UNAVAILABLE
    zh = (
        "这里还没有编号为 {person} 的居民资料。如刚刚登记，请在 {retry_after} 秒后用同一个 Idempotency-Key 重试；"
        "否则请核对编号，或先在 /v1/people 登记。"
    )
    en = (
        "Nobody with the id {person} is known here yet. If they were registered just now, try again in {retry_after} s "
        "with the same Idempotency-Key; otherwise check the id, or register them at /v1/people first."
    )


class PositionHalved(Refusal):
    kind = Kind.INVALID
    zh = "lat 与 long 要一起填写：请补上另一项，或都去掉。"
    en = "lat and long go together: add the other one, or leave both out."


class AreaOutsideYours(Refusal):
    kind = Kind.FORBIDDEN
    zh = "区域 {area} 不在您负责的范围内，请转市级热线代为提出。"
    en = "The area {area} is not among your places. Let the city's hotline file it."


def expect_filer(actor: Actor, on_behalf_of: str | None) -> None:
    """Refuse who may not file for this person: Forbidden; ResidentMissing where it is for nobody."""
    if on_behalf_of is not None:
        if not actor.has(Role.OPERATOR):
            raise Forbidden(roles=Role.OPERATOR)
    elif not actor.has(Role.RESIDENT) or actor.person is None:
        raise ResidentMissing


def position(latitude: float | None, longitude: float | None) -> str | None:
    """Where it is, as one text, because it is sealed like an address; PositionHalved."""
    if (latitude is None) != (longitude is None):
        raise PositionHalved
    return None if latitude is None else f"{latitude} {longitude}"


def reopen(case: Case, reopened: CaseReopened, near: Nearby) -> Choice | None:
    """Take a case up again; whoever is to do it is somebody who has not had it yet, else the supervisor."""
    tried = [*case.tried]
    case.record(reopened)
    return choose(case, near, tried) or supervisor(near, tried) or supervisor(near)
