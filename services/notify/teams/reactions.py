"""The rules of volunteer teams."""

from services.contracts.members.teams import (
    TeamFounded,
    TeamLeaderAppointed,
    TeamMemberJoined,
    TeamMemberLeft,
    TeamWentOffDuty,
    TeamWentOnDuty,
)
from services.notify.audience.model import Team
from services.notify.rules.model import Blind, Named, Occurrence, Subject, Tell
from services.notify.templates.model import Facts


def facts(what: Occurrence[Team], _: Blind) -> Facts:
    """The name of the team."""
    return {"team": what.copy.name}


subject = Subject(
    name="teams",
    copy=Team,
    parties=(Named(),),
    rules=(Tell(TeamMemberJoined, Named(), "team-joined"),),
    silent={
        TeamFounded: "its members hear when they join",
        TeamLeaderAppointed: "the administrator who appoints tells the leader in person",
        TeamMemberLeft: "who leaves knows",
        TeamWentOnDuty: "the team says so itself",
        TeamWentOffDuty: "the team says so itself",
    },
    facts=facts,
)
