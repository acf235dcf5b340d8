"""Those who act in the table of guards of members, and what is right for each of them."""

from collections.abc import Callable
from dataclasses import dataclass

from services.chassis.domain.scope import NOBODY, PUBLIC, SYSTEM, Actor, system_actor
from services.contracts.members.roles import Role
from services.contracts.members.teams import is_team
from tests.members.support import CITY, COMMUNITY, COUNTY, FAR_COMMUNITY
from tests.support.guards import OK

LEADER, ME = "person_leader", "person_guards"
OWN, ABOVE, NEIGHBOUR, NONE = "own", "above", "neighbour's", "none"
PLACES = {OWN: (COMMUNITY,), ABOVE: (COUNTY,), NEIGHBOUR: (FAR_COMMUNITY,), NONE: (), "city": (CITY,)}
STAFF = (Role.OPERATOR, Role.HANDLER, Role.DISPATCHER, Role.SUPERVISOR, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Who:
    """Somebody with one role for one place; ``team``: what a handler is to the team of the row, or ``any`` team's."""

    role: str
    place: str = NONE
    team: str = ""

    @property
    def label(self) -> str:
        """For messages."""
        return " ".join(filter(None, (self.role, f"(place {self.place})", self.team)))

    def actor(self, thing: str = "", code: str = COMMUNITY) -> Actor:
        """As a use case sees them, where this thing lies in the place of this code."""
        if self.role == PUBLIC:
            return NOBODY
        if self.role == SYSTEM:
            return system_actor("guards")
        served = {
            "": "organisation_any",
            "any": "team_any",
            "leads": "team_any",
            "belongs": thing if is_team(thing) else "team_any",
        }
        organisations = (served[self.team],) if self.role == Role.HANDLER else ()
        person = LEADER if self.team == "leads" else ME
        places = (code,) if self.place == OWN else PLACES[self.place]
        return Actor(
            f"account_{abs(hash(self))}", frozenset({self.role}), places, organisations, person, "session_other"
        )

    def in_charge(self) -> bool:
        """Whether one of their places holds the thing."""
        return self.role == SYSTEM or self.place in (OWN, ABOVE, "city")


EVERYBODY = (
    Who(PUBLIC),
    Who(SYSTEM),
    Who(Role.RESIDENT),
    Who(Role.AUDITOR, "city"),
    *(Who(role, place) for role in STAFF for place in PLACES),
    *(Who(Role.HANDLER, OWN, team) for team in ("any", "leads", "belongs")),
    Who(Role.DISPATCHER, NEIGHBOUR, "leads"),
)
Right = Callable[[Who], str]


def by_role(who: Who, *roles: str) -> str | None:
    """What the role alone says: None where it lets pass."""
    if who.role == PUBLIC:
        return "sign-in-needed"
    return None if who.role in (SYSTEM, *roles) else "forbidden"


def in_charge(who: Who) -> str:
    """For the place of the thing."""
    return OK if who.in_charge() else "outside-your-places"


def in_charge_of_all(who: Who) -> str:
    """Of COMMUNITY and of FAR_COMMUNITY."""
    return OK if who.role == SYSTEM or who.place == "city" else "outside-your-places"


def runs(who: Who) -> str:
    """For the team of the row."""
    leads = who.role == Role.HANDLER and who.team in ("leads", "belongs")
    directs = who.in_charge() and who.role in (Role.DISPATCHER, Role.ADMINISTRATOR, SYSTEM)
    return OK if leads or directs else "not-your-team"


def sees_person(who: Who) -> str:
    """For a person of COMMUNITY."""
    serves = who.in_charge() and (who.role != Role.HANDLER or not who.team)
    return OK if serves else "not-found"


def sees_account(who: Who) -> str:
    """For an account of COMMUNITY."""
    return OK if who.in_charge() else "not-found"


sees_roster = sees_account
"""For a roster of COMMUNITY."""


def over(right: Right, code: str) -> Right:
    """In a state that does not allow it: whom the guard lets pass is refused by the rule, and nobody else."""
    return lambda who: code if right(who) == OK else right(who)
