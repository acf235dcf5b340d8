"""The events of volunteer teams."""

from collections.abc import Iterable
from enum import StrEnum

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, Id, kind_of
from services.chassis.domain.words import Words

TEAM = "team"
"""The entity type of volunteer teams, also of their copies: it begins their ids."""


class TeamKind(StrEnum):
    """The five kinds of volunteer teams."""

    PARTY_MEMBER = "party_member"
    ELDERLY = "elderly"
    WOMEN = "women"
    HOUSEKEEPING = "housekeeping"
    PUBLIC_SAFETY = "public_safety"


class TeamFounded(Event):
    """A volunteer team was founded for a place; ``capacity`` is how many cases it takes at once."""

    kind: TeamKind | str
    name: Words
    area: Code
    skills: list[Code]
    capacity: int
    leader_id: Id | None = None
    code: Code | None = None


class TeamLeaderAppointed(Event):
    """A person became the leader of a volunteer team."""

    leader_id: Id


class TeamMemberJoined(Event):
    """A person joined a volunteer team."""

    person_id: Id


class TeamMemberLeft(Event):
    """A person left a volunteer team."""

    person_id: Id


def members_after(members: Iterable[str], event: TeamMemberJoined | TeamMemberLeft) -> list[str]:
    """The members of a team, each once, in the order of their ids."""
    if isinstance(event, TeamMemberJoined):
        return sorted({*members, event.person_id})
    return [member for member in members if member != event.person_id]


class TeamWentOnDuty(Event):
    """A volunteer team takes cases from now on."""


class TeamWentOffDuty(Event):
    """A volunteer team takes no more cases for now."""


def is_team(id: str) -> bool:
    """Whether this is the id of a volunteer team, among those of organisations and teams."""
    return kind_of(id) == TEAM
