"""Who may do what with phones, and with the codes that come to them."""

import itertools
from collections.abc import Iterator
from typing import Any

from services.chassis.domain.scope import PUBLIC, SYSTEM, Actor
from services.chassis.usecase import Container
from services.contracts.members.accounts import SessionEnd
from services.contracts.members.people import PersonRegistered, ProfileChanged
from services.contracts.members.roles import Role
from services.members.accounts.codes import commands as codes
from services.members.accounts.phones import commands as changing
from services.members.accounts.sessions import commands as sessions
from services.members.people import commands as people
from services.members.people.model import Person
from services.members.people.phones import commands as phones
from tests.members.callers import EVERYBODY, Who, by_role, in_charge, sees_person
from tests.members.rows import Case, row
from tests.members.support import COMMUNITY
from tests.support.guards import OK, Row, stored, twin

_NUMBERS = itertools.count(100)


def phone_rows(container: Container) -> Iterator[Row]:
    """A number is corrected by operators who see the person, and changed by nobody without the code that came to it."""
    document = stored(Person, PersonRegistered(area=COMMUNITY))
    for who in EVERYBODY:
        id, number = f"person_p{next(_NUMBERS)}", f"1370000{next(_NUMBERS):04}"
        given = (id, changing.CorrectPhone(phone=number, reason="why"))
        correct = Case(changing.correct_phone, (Role.OPERATOR,), sees_person, given, ProfileChanged)
        yield row(correct, who, who.actor(id), thing=twin(Person, document, id, container), key=id)
    change = changing.ChangePhone(phone="13700009999", code="123456")
    for role in (PUBLIC, SYSTEM, *Role):
        id, who = f"person_p{next(_NUMBERS)}", Who(role)
        signed_in = role in tuple(Role)
        actor = Actor("account_own", frozenset({role}), person=id) if signed_in else who.actor()
        right = "code-wrong" if signed_in else by_role(who, *Role) or "person-needed"
        case = Case(changing.change_phone, tuple(Role), in_charge, (change,))
        yield row(case, who, actor, right=right, thing=twin(Person, document, id, container), key=id)
    yield from _system()


def _system() -> Iterator[Row]:
    """What only the service itself does; its rules still refuse a wrong code."""
    works: tuple[tuple[Any, tuple[Any, ...], str], ...] = (
        (people.set_phone, ("person_none", "+8613800000010"), "not-found"),
        (people.drop_phone, ("person_none", "+8613800000010"), "not-found"),
        (phones.ensure_holder, ("+8613800000010",), OK),
        (phones.confirm, ("+8613800000010",), OK),
        (phones.release, ("+8613800000011", "person_phone"), OK),
        (phones.hand_over, ("+8613800000012", "person_before", "person_phone"), OK),
        (codes.issue_code, ("+8613800000008", "person_code"), OK),
        (codes.weigh_code, ("+8613800000013", "123456"), "code-wrong"),
        (codes.accept_code, ("+8613800000013", "123456"), "code-wrong"),
        (codes.refuse_holder, ("+8613800000014", None), "holder-unproven"),
        (sessions.end_lost_session, ("session_none", SessionEnd.PHONE_LOST), "not-found"),
    )
    for (work, given, right), who in itertools.product(works, EVERYBODY):
        yield row(Case(work, (), in_charge, given), who, who.actor(), right=by_role(who) or right)
