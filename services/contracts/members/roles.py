"""Who may do what: the roles that people hold."""

from enum import StrEnum
from typing import Annotated

from services.chassis.domain.values import shaped

Code = Annotated[
    str,
    shaped(
        r"^[a-z0-9][a-z0-9:_-]{1,59}$",
        "given-code",
    ),
]
"""The name by which its founder knows an organisation, a department or a team: one of a kind."""


class Role(StrEnum):
    """What somebody may do; the places and organisations it holds for stand beside it."""

    RESIDENT = "resident"
    OPERATOR = "operator"
    HANDLER = "handler"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
