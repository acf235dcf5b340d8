"""Accounts: what they hold after each event, who sees and changes them, and how their secrets are made."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from pydantic import TypeAdapter, ValidationError

from services.chassis.domain.refusals import Kind
from services.chassis.domain.scope import ALL, EVERY_TOKEN, NONE, Actor, Visible, system_actor
from services.chassis.domain.values import Sealed
from services.contracts.members.accounts import AccountClosed, AccountOpened, RolesGranted
from services.members.accounts import model
from services.members.accounts.model import Account, AccountIsClosed, CredentialsSet, Login, OrganisationUnknown
from services.members.accounts.passwords import model as passwords
from tests.members.support import CITY, COMMUNITY, COUNTY, COUNTY_ADMINISTRATOR, FAR_COMMUNITY, STREET

SEED = "000102030405060708090a0b0c0d0e0f10111213"
AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
AN_HOUR_ON = AT + timedelta(hours=1)
OPENED = AccountOpened(person_id="person_1", roles=["handler"], places=[COMMUNITY], organisations=["organisation_1"])


def opened(**more: object) -> Account:
    account = Account.blank("account_1")
    account.record(OPENED.model_copy(update=more))
    return account


def granting(roles: list[str], places: list[str], organisations: list[str]) -> RolesGranted:
    return RolesGranted(
        person_id="person_1",
        roles=[*roles],
        places=places,
        organisations=organisations,
        tokens_below=1,
        tokens_until=AN_HOUR_ON,
    )


def test_an_account_is_what_its_events_say() -> None:
    account = opened()
    expected = {
        "person_id": "person_1",
        "roles": ["handler"],
        "area_codes": [COMMUNITY],
        "organisations": ["organisation_1"],
        "open": True,
        "tokens_until": None,
        "tokens_below": 0,
        "devices_since": None,
        "login": None,
        "password_hash": None,
        "totp": None,
    }
    assert account.as_stored() == expected
    account.record(CredentialsSet(login="li", password_hash="hash", totp=Sealed("1.totp")))
    expected |= {"login": "li", "password_hash": "hash", "totp": "1.totp"}
    assert account.as_stored() == expected
    account.record(granting(["dispatcher"], [STREET], []))
    expected |= {"roles": ["dispatcher"], "area_codes": [STREET], "organisations": []}
    expected |= {"tokens_below": 1, "tokens_until": AN_HOUR_ON}
    assert account.as_stored() == expected
    account.record(AccountClosed(person_id="person_1", tokens_until=AN_HOUR_ON))
    assert account.as_stored() == expected | {"open": False, "tokens_below": EVERY_TOKEN}


def test_credentials_never_leave_the_service() -> None:
    assert CredentialsSet.private


def test_who_signs_in_acts_with_the_roles_places_and_organisations_of_the_account() -> None:
    acting = Actor(
        "account_1", frozenset({"handler"}), (COMMUNITY,), ("organisation_1",), person="person_1", session="session_1"
    )
    assert opened().actor("session_1") == acting
    assert opened().subjects() == ("person_1",)


@pytest.mark.parametrize(
    ("codes", "places"),
    [
        ([COMMUNITY], (CITY, COUNTY, STREET, COMMUNITY)),
        ([COMMUNITY, STREET], (CITY, COUNTY, STREET)),
        ([COMMUNITY, FAR_COMMUNITY], (CITY,)),
        ([], ()),
    ],
)
def test_an_account_lies_in_what_all_its_places_lie_in(codes: list[str], places: tuple[str, ...]) -> None:
    assert opened(places=codes).places() == places


def test_accounts_are_seen_by_the_administrators_of_their_places_only() -> None:
    assert Account.visible(system_actor("timer")) == ALL
    assert Account.visible(COUNTY_ADMINISTRATOR) == Visible(any_of=(("under", (COUNTY,)),))
    assert Account.visible(Actor("account_2", frozenset({"supervisor"}), (CITY,))) == NONE


@pytest.mark.parametrize(
    "granted",
    [
        (["dispatcher"], [COMMUNITY], ["organisation_1"]),
        (["handler"], [STREET], ["organisation_1"]),
        (["handler"], [COMMUNITY], ["organisation_2"]),
    ],
)
def test_roles_that_differ_in_anything_are_granted_and_the_same_again_is_no_change(
    granted: tuple[list[str], list[str], list[str]],
) -> None:
    account = opened()
    model.grant(account, ["handler"], [COMMUNITY], ["organisation_1"], AT)
    assert account.fresh == [OPENED]
    roles, places, organisations = granted
    model.grant(account, [*roles], places, organisations, AT)
    assert account.fresh == [OPENED, granting(roles, places, organisations)]


def test_a_token_has_the_number_of_the_rights_that_it_is_signed_with() -> None:
    account = opened()
    assert account.actor("session_1").grants == 0
    for number in (1, 2):
        model.grant(account, ["dispatcher"] * number, [STREET], [], AT)
        assert account.actor("session_1").grants == number


def test_a_closed_account_is_neither_closed_nor_granted_anything_again() -> None:
    account = opened()
    model.close(account, AT)
    assert account.fresh == [OPENED, AccountClosed(person_id="person_1", tokens_until=AN_HOUR_ON)]
    with pytest.raises(AccountIsClosed) as closed:
        model.close(account, AT)
    with pytest.raises(AccountIsClosed) as granted:
        model.grant(account, [], [], [], AT)
    for refused in (closed, granted):
        assert refused.value.params == {"account": "account_1"}
    assert account.fresh == [OPENED, AccountClosed(person_id="person_1", tokens_until=AN_HOUR_ON)]
    assert (AccountIsClosed.kind, model.LoginTaken.kind) == (Kind.STATE, Kind.STATE)


def test_every_organisation_of_an_account_must_be_known() -> None:
    model.expect_known(["organisation_1"], {"organisation_1", "organisation_2"})
    with pytest.raises(OrganisationUnknown) as refused:
        model.expect_known(["organisation_1", "organisation_3"], {"organisation_1"})
    assert refused.value.params == {"organisation": "organisation_3"}
    assert refused.value.kind is Kind.INVALID


@pytest.mark.parametrize("typed", ["Abc", " abc ", "ａｂｃ", "a bc", "abc\n"])
def test_a_login_is_meant_however_it_was_typed(typed: str) -> None:
    assert TypeAdapter(Login).validate_python(typed) == "abc"


@pytest.mark.parametrize("login", ["abc", "1.b_c-d", "a" * 64, "150702001001-station"])
def test_a_login_has_three_to_sixty_four_small_letters_digits_and_marks(login: str) -> None:
    assert TypeAdapter(Login).validate_python(login) == login


@pytest.mark.parametrize("login", ["ab", "a" * 65, ".bc", "a:bc", "李明明"])
def test_any_other_login_is_none(login: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Login).validate_python(login)


def test_a_password_is_five_groups_of_four_letters_of_the_seed_and_a_totp_secret_all_of_it() -> None:
    assert model.password_from(SEED) == "aaaq-eaye-auda-ocaj-bifq"
    assert model.totp_from(SEED) == "AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT"


def test_an_authenticator_learns_secret_login_and_who_issues_it() -> None:
    read = pyotp.parse_uri(model.enrolment("AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT", "li-station"))
    assert (read.secret, read.name, read.issuer) == ("AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT", "li-station", "Linli")


def test_a_password_is_hashed_as_owasp_asks_and_an_unknown_login_takes_as_long() -> None:
    known = passwords.hashed("aaaq-eaye")
    cost = "$argon2id$v=19$m=19456,t=2,p=1$"
    assert known.startswith(cost)
    assert passwords._DECOY.startswith(cost)
    assert [passwords.fits(password, known) for password in ("aaaq-eaye", "aaaq-eayf")] == [True, False]
    assert passwords.fits("aaaq-eaye", None) is False
