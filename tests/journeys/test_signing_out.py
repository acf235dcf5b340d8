"""Signing out: from then on nobody is served with that session's tokens, wherever they are shown."""

import time
from collections.abc import Callable

import pytest

from tests.journeys.test_inbox import listening
from tests.journeys.town import OTHER_COUNTY, Person, Town, filing

SOON = 5
"""Seconds within which every service refuses a token whose session or account has ended."""
WEBS = ("members-web", "requests-web", "notify-web")


def served(town: Town, who: Person) -> list[int]:
    """The answers of the three services."""
    return [
        town.insist("GET", "/v1/me", who).status_code,
        town.insist("POST", "/v1/requests", who, filing()).status_code,
        town.insist("GET", "/v1/inbox", who).status_code,
    ]


def sign_out(town: Town, who: Person) -> None:
    """As a client does it."""
    assert town.ask("DELETE", "/v1/sign-in", who).status_code == 204


def close(town: Town, who: Person) -> None:
    """As an administrator does it."""
    town.done("POST", f"/v1/accounts/{who.claims['sub']}/close", town.staff("administrator"))


def demote(town: Town, who: Person) -> None:
    """As an administrator does it, to a place elsewhere."""
    rights = {"roles": ["operator"], "places": [OTHER_COUNTY]}
    town.done("PUT", f"/v1/accounts/{who.claims['sub']}/roles", town.staff("administrator"), rights)


@pytest.mark.parametrize("end", [sign_out, close, demote])
def test_five_seconds_after_the_end_no_service_takes_the_token_and_the_stream_is_over(
    town: Town, end: Callable[[Town, Person], None]
) -> None:
    somebody = town.resident() if end is sign_out else town.hire("9901", "operator")
    with listening(town, somebody) as listener:
        assert town.ask("GET", "/v1/me", somebody).status_code == 200
        end(town, somebody)
        time.sleep(SOON)
        assert served(town, somebody) == [401, 401, 401]
        assert listener.over.is_set()


def test_a_restarted_process_refuses_what_was_revoked_before(town: Town) -> None:
    leaving, staying = town.resident(), town.resident()
    sign_out(town, leaving)
    time.sleep(SOON)
    for process in WEBS:
        town.kill(process)
    assert served(town, leaving) == [401, 401, 401]
    assert served(town, staying) == [200, 201, 200]


def test_without_the_broker_the_token_is_good_elsewhere_until_it_ends_and_only_until_the_broker_is_back(
    town: Town,
) -> None:
    somebody = town.resident()
    with town.without("kafka"):
        sign_out(town, somebody)
        time.sleep(SOON)
        assert served(town, somebody) == [401, 201, 200]
        status = town.linli("status")
        assert (status.returncode, "kafka does not answer" in status.stdout) == (1, True)
    town.wait(lambda: served(town, somebody) == [401, 401, 401], "the token to be refused")
