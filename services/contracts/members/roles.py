"""The roles of actors."""

from enum import StrEnum
from typing import Annotated

from services.chassis.domain.scope import Actor
from services.chassis.domain.values import shaped
from services.contracts.members.teams import is_team

Code = Annotated[
    str,
    shaped(
        r"^[a-z0-9][a-z0-9:_-]{1,59}$",
        "given-code",
    ),
]
"""The founder's own unique name for an organisation, a department or a team."""


class Role(StrEnum):
    """What an actor may do; the places and organisations for which it holds are stored beside it."""

    RESIDENT = "resident"
    OPERATOR = "operator"
    HANDLER = "handler"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    """Reads who saw whose data; works on nothing, and holds no other role."""


def staffed(actor: Actor, *roles: Role) -> tuple[str, ...]:
    """The places where an actor works for the city in one of these roles.

    A handler does so only with an organisation: the leader of a volunteer team works on what the team has.
    """
    if actor.has(*(role for role in roles if role != Role.HANDLER)):
        return actor.places
    serves = Role.HANDLER in roles and actor.has(Role.HANDLER) and not all(map(is_team, actor.organisations))
    return actor.places if serves else ()
