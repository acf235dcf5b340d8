"""The rows of the table of guards of members for what is one's own: the profile, the sessions."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

from services.chassis.domain.scope import PUBLIC, SYSTEM, Actor
from services.chassis.domain.values import Sealed, now
from services.chassis.usecase import Container
from services.contracts.members.accounts import SessionEnded
from services.contracts.members.people import PersonRegistered, ProfileChanged
from services.contracts.members.roles import Role
from services.members.accounts.sessions import commands as sessions
from services.members.accounts.sessions.model import Session, SessionStarted, SignInMethod
from services.members.people import commands as people
from services.members.people.model import Person
from tests.members.callers import Who, by_role, in_charge
from tests.members.rows import Case, row
from tests.members.support import COMMUNITY, COUNTY
from tests.support.guards import OK, Row, stored, twin

_NUMBERS = itertools.count(100)


def own_rows(container: Container) -> Iterator[Row]:
    """The own profile and the own session, with those of others and with none."""
    person, profile = stored(Person, PersonRegistered(area=COMMUNITY)), people.ChangeProfile(area=COUNTY)
    for role in (PUBLIC, SYSTEM, *Role):
        id, session, stranger = f"person_o{next(_NUMBERS)}", f"session_{next(_NUMBERS)}", f"session_{next(_NUMBERS)}"
        who, refused = Who(role), by_role(Who(role), *Role)
        bare = Actor("account_bare", frozenset({role})) if role in tuple(Role) else who.actor()
        mine = replace(bare, person=id, session=session) if role in tuple(Role) else bare
        change = Case(people.change_profile, tuple(Role), in_charge, (profile,), ProfileChanged)
        yield row(change, who, bare, right=refused or "person-needed")
        if mine is not bare:
            yield row(change, who, mine, right=OK, thing=twin(Person, person, id, container), key=id)
        for own in (session, stranger):
            account = mine.id if own is session else "account_other"
            thing = twin(Session, stored(Session, _started(account)), own, container)
            right = refused or (OK if own is session and mine is not bare else "not-found")
            here = replace(mine, session=own) if mine is not bare else bare
            yield row(Case(sessions.sign_out, tuple(Role), in_charge), who, here, right=right, thing=thing)
            elsewhere = twin(Session, stored(Session, _started(account)), f"{own}b", container)
            end = Case(sessions.end_session, tuple(Role), in_charge, (), SessionEnded)
            right = right if role != SYSTEM else OK  # the system itself sees every session
            yield row(end, who, mine, (f"{own}b",), right=right, thing=elsewhere)


def _started(account: str) -> SessionStarted:
    return SessionStarted(
        account_id=account,
        person_id="person_any",
        method=SignInMethod.STAFF,
        device=Sealed("1.device"),
        device_index="0" * 40,
        started_at=now(),
        idle_until=now(),
        ends_at=now(),
    )
