"""Who may do what in members: what is right for each command, role, state and place, said apart from the code."""

import itertools
from collections.abc import Iterator
from typing import Any

from services.chassis.domain.events import Event
from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import now
from services.chassis.domain.words import GivenName, Words
from services.chassis.usecase import Container
from services.contracts.members.accounts import AccountClosed, AccountOpened, RolesGranted
from services.contracts.members.areas import AreaAdded, AreaBounded, AreaClosed, AreaClosure, AreaRenamed, Level
from services.contracts.members.organisations import LeaderAppointed, OrganisationFounded, OrganisationKind
from services.contracts.members.people import PersonRegistered, ProfileChanged
from services.contracts.members.roles import Role
from services.contracts.members.teams import (
    TeamFounded,
    TeamKind,
    TeamLeaderAppointed,
    TeamMemberJoined,
    TeamMemberLeft,
    TeamWentOffDuty,
    TeamWentOnDuty,
)
from services.members.accounts import commands as accounts
from services.members.accounts.attempts.commands import Attempts
from services.members.accounts.authenticators.commands import accept_one_time_code
from services.members.accounts.devices.model import SignInDevice
from services.members.accounts.model import Account
from services.members.accounts.networks.commands import expect_room_at_desks
from services.members.accounts.sessions import commands as sessions
from services.members.accounts.sessions.model import SignInMethod
from services.members.areas import commands as areas
from services.members.areas.model import Area
from services.members.organisations import commands as organisations
from services.members.organisations.model import Organisation
from services.members.people import commands as people
from services.members.people.model import Person, PersonUnmasked
from services.members.rosters.model import Roster
from services.members.teams import commands as teams
from services.members.teams.model import Team
from tests.members import guards_of_rosters as on_call
from tests.members.callers import (
    EVERYBODY,
    LEADER,
    ME,
    STAFF,
    Who,
    by_role,
    in_charge,
    in_charge_of_all,
    over,
    runs,
    sees_account,
    sees_person,
)
from tests.members.own import own_rows
from tests.members.rows import Case, row
from tests.members.support import COMMUNITY, FAR_COMMUNITY, STREET
from tests.support.guards import OK, Row, stored, twin

NAME = GivenName(zh="x")
_NUMBERS, _CODES = itertools.count(100), itertools.count(100)


def rows(container: Container) -> list[Row]:
    """The whole table."""
    return [
        *_on_areas(container),
        *_on(
            container,
            Organisation,
            (OrganisationFounded(kind=OrganisationKind.STATION, name=Words.named("x"), area=COMMUNITY),),
            _LED,
        ),
        *_on(container, Team, (_FOUNDED,), _TEAMS),
        *_on(container, Team, (_FOUNDED, TeamMemberJoined(person_id=LEADER), TeamWentOnDuty()), _BUSY),
        *_on(container, Roster, on_call.ROSTER, _SHIFTS),
        *_on(container, Person, (PersonRegistered(area=COMMUNITY),), _UNMASKED),
        *_on(container, Account, (_OPENED,), _ACCOUNTS),
        *_on(container, Account, (_OPENED.model_copy(update={"person_id": ME}),), _OWN_ACCOUNT),
        *_on(container, Account, (_OPENED, AccountClosed(person_id=LEADER, tokens_until=now())), _CLOSED),
        *_as_new_sign_in(),
        *own_rows(container),
        *_system(),
    ]


_ADMINISTRATORS, _RUN = (Role.ADMINISTRATOR,), (Role.HANDLER, Role.DISPATCHER, Role.ADMINISTRATOR)
_FOUNDED = TeamFounded(
    kind=TeamKind.ELDERLY, name=Words.named("x"), area=COMMUNITY, skills=["patrol"], capacity=1, leader_id=LEADER
)
_OPENED = AccountOpened(person_id=LEADER, roles=[Role.HANDLER], places=[COMMUNITY], organisations=[])
_LED = (
    Case(
        organisations.appoint_leader,
        _ADMINISTRATORS,
        in_charge,
        (organisations.AppointLeader(person=LEADER),),
        LeaderAppointed,
    ),
)
_TEAMS = (
    Case(teams.add_member, _RUN, runs, (LEADER,), TeamMemberJoined),
    Case(teams.put_on_duty, _RUN, runs, (), TeamWentOnDuty),
    Case(
        teams.appoint_team_leader,
        (Role.DISPATCHER, Role.ADMINISTRATOR),
        in_charge,
        (teams.AppointTeamLeader(person="person_next"),),
        TeamLeaderAppointed,
    ),
)
_BUSY = (
    Case(teams.remove_member, _RUN, runs, (LEADER,), TeamMemberLeft, "busy"),
    Case(teams.put_off_duty, _RUN, runs, (), TeamWentOffDuty, "busy"),
)
_SHIFTS = tuple(Case(*row) for row in on_call.CASES)
_CORRECTED = people.CorrectName(name="李四", reason="why")
_UNMASKED = (
    Case(
        people.unmask,
        tuple(role for role in STAFF if role != Role.ADMINISTRATOR),
        sees_person,
        (people.Unmask(reason="why"),),
        PersonUnmasked,
    ),
    Case(people.correct_name, (Role.OPERATOR,), sees_person, (_CORRECTED,), ProfileChanged),
)


def _granted(place: str) -> accounts.GrantRoles:
    return accounts.GrantRoles(roles=[Role.OPERATOR], places=[place], organisations=[])


def _elsewhere(who: Who) -> str:
    """Of an account in COMMUNITY, to which a far place is given."""
    return "not-found" if sees_account(who) != OK else in_charge_of_all(who)


def _grants_others(who: Who) -> str:
    """Of an account that the same person has."""
    return over(sees_account, OK if who.role == SYSTEM else "own-account")(who)


_ACCOUNTS = (
    Case(accounts.grant_roles, _ADMINISTRATORS, sees_account, (_granted(COMMUNITY),), RolesGranted),
    Case(accounts.grant_roles, _ADMINISTRATORS, _elsewhere, (_granted(FAR_COMMUNITY),), RolesGranted, "given far"),
    Case(accounts.close_account, _ADMINISTRATORS, sees_account, (), AccountClosed),
)
_OWN_ACCOUNT = (
    Case(accounts.grant_roles, _ADMINISTRATORS, _grants_others, (_granted(COMMUNITY),), RolesGranted, "one's own"),
)
_CLOSED = (
    Case(accounts.close_account, _ADMINISTRATORS, over(sees_account, "account-is-closed"), (), None, "closed"),
    Case(
        accounts.grant_roles,
        _ADMINISTRATORS,
        over(sees_account, "account-is-closed"),
        (_granted(COMMUNITY),),
        None,
        "closed",
    ),
)


def _on(container: Container, kind: Any, past: tuple[Event, ...], cases: tuple[Case, ...]) -> Iterator[Row]:
    """Each command on a thing of its own, in COMMUNITY."""
    document = stored(kind, *past)
    for case, who in itertools.product(cases, EVERYBODY):
        id = f"{kind.entity_type}_{next(_NUMBERS)}"
        thing, key = twin(kind, document, id, container), id if kind is Person else None
        yield row(case, who, who.actor(id), (id, *case.given), thing=thing, key=key)


def _on_areas(container: Container) -> Iterator[Row]:
    """Areas have codes for ids: each is a community of its own."""
    added = AreaAdded(level=Level.COMMUNITY, name=Words.named("x"))
    states = {"open": (added,), "closed": (added, AreaClosed(reason=AreaClosure.MERGED))}
    works: tuple[tuple[Any, Any, type[Event]], ...] = (
        (areas.rename_area, areas.RenameArea(name=GivenName(zh="other")), AreaRenamed),
        (areas.bound_area, areas.BoundArea(south=48, west=119, north=50, east=121), AreaBounded),
        (areas.close_area, areas.CloseArea(reason=AreaClosure.MERGED), AreaClosed),
    )
    for (state, past), (work, cmd, event), who in itertools.product(states.items(), works, EVERYBODY):
        code = f"{STREET}{next(_CODES):03}"
        right = in_charge if state == "open" else over(in_charge, "area-already-closed")
        case = Case(work, _ADMINISTRATORS, right, (cmd,), event, state)
        thing = twin(Area, stored(Area, *past, id=code), code, container)
        yield row(case, who, who.actor(code=code), (code, cmd), thing=thing)


def _as_new_sign_in() -> Iterator[Row]:
    """What makes something, in COMMUNITY or as a community of its own."""
    for who in EVERYBODY:
        number = next(_CODES)
        code, login = f"{STREET}{number:03}", f"login{number}"
        area = areas.AddArea(code=code, level=Level.COMMUNITY, name=NAME)
        office = organisations.FoundOrganisation(kind=OrganisationKind.STATION, name=NAME, area=COMMUNITY)
        team = teams.FoundTeam(kind=TeamKind.ELDERLY, name=NAME, area=COMMUNITY, skills=["patrol"], capacity=1)
        caller = people.RegisterPerson(phone=f"1380000{number:04}", area=COMMUNITY)
        staff = people.RegisterStaff(name=None, area=COMMUNITY)
        account = accounts.OpenAccount(login=login, roles=[Role.OPERATOR], places=[COMMUNITY])
        wide = accounts.OpenAccount(login=f"{login}w", roles=[Role.OPERATOR], places=[COMMUNITY, FAR_COMMUNITY])
        both = (Role.ADMINISTRATOR, Role.DISPATCHER)
        cases = (
            Case(areas.add_area, _ADMINISTRATORS, in_charge, (area,), AreaAdded),
            Case(organisations.found_organisation, _ADMINISTRATORS, in_charge, (office,), OrganisationFounded),
            Case(teams.found_team, both, in_charge, (team,), TeamFounded),
            Case(*on_call.start(number)),
            Case(people.register_person, (Role.OPERATOR,), in_charge, (caller,), PersonRegistered),
            Case(people.register_staff, _ADMINISTRATORS, in_charge, (f"person_s{number}", staff), PersonRegistered),
            Case(accounts.open_account, _ADMINISTRATORS, in_charge, (account,), AccountOpened),
            Case(accounts.open_account, _ADMINISTRATORS, in_charge_of_all, (wide,), AccountOpened, "wide"),
        )
        for case in cases:
            actor = who.actor(code=code if case.work is areas.add_area else COMMUNITY)
            yield row(case, who, actor)


def _anybodys() -> Account:
    account = Account.blank("account_any")
    account.apply(AccountOpened(person_id="person_code", roles=[Role.RESIDENT], places=[], organisations=[]))
    return account


def _system() -> Iterator[Row]:
    """What only the service itself does; its rules still refuse a wrong code."""
    works: tuple[tuple[Any, tuple[Any, ...], str], ...] = (
        (people.register_by_phone, ("person_phone", "+8613800000009"), OK),
        (accounts.open_residents_account, ("person_phone",), OK),
        (
            sessions.check_credentials,
            (None, "123456", Attempts("attempts|login|nobody", "strangers")),
            "sign-in-wrong",
        ),
        (sessions.start_session, (_anybodys(), SignInMethod.PHONE, SignInDevice.of(None, None)), OK),
        (sessions.rotate_session, ("session_none", 0), "not-found"),
        (accounts.forget_devices, ("account_none", now()), "not-found"),
        (accept_one_time_code, (_anybodys(), "123456"), "sign-in-wrong"),
        (expect_room_at_desks, ("203.0.113.7", "nobody", None), OK),
    )
    for (work, given, right), who in itertools.product(works, EVERYBODY):
        yield row(Case(work, (), in_charge, given), who, who.actor(), right=by_role(who) or right)


async def settle(container: Container) -> None:
    """Let those be known whom the commands name."""
    document = stored(Person, PersonRegistered(area=COMMUNITY))
    known = [twin(Person, document, id, container)[1] for id in (LEADER, "person_next")]
    await container.mongo.command("insert", Person.collection(), documents=known)
    await on_call.settle(container)
