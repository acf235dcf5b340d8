"""How often one who is signed in may ask: on all routes together, on those that cost or tell more, and all subjects."""

import itertools
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.cli.city.tokens import KeyHolder
from deploy.gateway.limits import OPERATOR, Limits
from deploy.local import Home, Ports, front, keys
from deploy.local.layout import Layout
from services.chassis.http.signing import public_key
from tests.local.conftest import assert_problem, bearer, logged, running, signed, token

READ, FILE, STREAM = ("GET", "/v1/requests"), ("POST", "/v1/requests"), ("GET", "/v1/inbox/stream")
STEP = ("POST", "/v1/requests/case_1/comment")
PERSON, REGISTER = ("GET", "/v1/people/person_1"), ("POST", "/v1/people")
COSTLY = [FILE, STREAM, PERSON, REGISTER]
TOO_OFTEN = 429
# More requests than any machine sends in the time in which this many would be allowed.
MOST = 1000
_subjects = (f"acct_{number}" for number in itertools.count(100))


@dataclass
class LimitedGateway:
    """Asks as somebody who has not asked before, where nobody is named; notify is not there and answers 503."""

    home: Home
    http: httpx.Client

    def ask(self, asked: tuple[str, str], sub: str = "") -> int:
        """The status for one request of a subject."""
        return self._send(asked, self.token(sub or next(_subjects))).status_code

    def passes(self, asked: tuple[str, str], sub: str) -> int:
        """How many requests of a subject pass, one after the other, until the first that does not."""
        return next(number for number in range(MOST) if self.ask(asked, sub) == TOO_OFTEN)

    def flood(self, *asked: tuple[str, str], sub: str = "", language: str = "zh") -> httpx.Response:
        """The first answer that says that it was too often."""
        return self.flood_with(itertools.repeat(self.token(sub or next(_subjects))), *asked, language=language)

    def flood_with(self, tokens: Iterator[str], *asked: tuple[str, str], language: str = "zh") -> httpx.Response:
        """The same with one token after the other; an empty one is none."""
        turns = itertools.islice(zip(itertools.cycle(asked), tokens, strict=False), MOST)
        answers = (self._send(turn, token, language) for turn, token in turns)
        return next(answer for answer in answers if answer.status_code == TOO_OFTEN)

    def token(self, sub: str) -> str:
        """A new token of a subject."""
        return token(self.home, sub=sub, jti=secrets.token_hex(4))

    def _send(self, asked: tuple[str, str], token: str, language: str = "zh") -> httpx.Response:
        mine = bearer(token) if token else {}
        return self.http.request(*asked, headers={"accept-language": language, **mine})


@pytest.fixture(scope="module")
def limited(home: Home, upstream: int) -> Iterator[LimitedGateway]:
    """At a gateway that lets one subject ask twenty times at once, four times on any costly route."""
    limits = Limits(subject_rate=10, filing_rate=2, people_rate=2, stream_rate=2)
    with running(home, upstream, "desk", limits) as client:
        yield LimitedGateway(home, client)


@pytest.fixture
def full(home: Home, upstream: int) -> Iterator[LimitedGateway]:
    """At a gateway that lets all subjects together file four times at once, and no one of them less."""
    with running(home, upstream, "full", Limits(filing_rate_all=2)) as client:
        yield LimitedGateway(home, client)


@pytest.mark.parametrize("asked", [READ, *COSTLY])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_subject_who_asks_too_often_learns_when_to_try_again(
    limited: LimitedGateway, asked: tuple[str, str], language: str
) -> None:
    refused = limited.flood(asked, language=language)
    problem = assert_problem(refused, TOO_OFTEN, "too-many", language)
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["retry-after"] in problem["detail"]


@pytest.mark.parametrize("asked", [READ, *COSTLY])
def test_the_flood_of_one_subject_takes_nothing_from_another(limited: LimitedGateway, asked: tuple[str, str]) -> None:
    flooding, other = next(_subjects), next(_subjects)
    limited.flood(asked, sub=flooding)
    assert TOO_OFTEN not in [limited.ask(asked, other) for _ in range(4)]


def test_after_the_time_to_wait_a_subject_is_served_again(limited: LimitedGateway) -> None:
    sub = next(_subjects)
    time.sleep(int(limited.flood(FILE, sub=sub).headers["retry-after"]))
    assert [limited.ask(FILE, sub) for _ in range(4)] == [200] * 4


def test_all_routes_count_together(limited: LimitedGateway) -> None:
    sub = next(_subjects)
    limited.flood(("GET", "/v1/areas"), ("PUT", "/v1/catalogue/x"), ("GET", "/v1/me"), ("GET", "/nowhere"), sub=sub)
    assert limited.passes(STEP, sub) < 20


def test_another_token_of_the_same_subject_does_not_help(limited: LimitedGateway) -> None:
    sub = next(_subjects)
    limited.flood_with((limited.token(sub) for _ in itertools.count()), FILE)
    assert limited.passes(FILE, sub) < 4


@pytest.mark.parametrize("asked", COSTLY)
def test_a_costly_route_has_a_limit_of_its_own(limited: LimitedGateway, asked: tuple[str, str]) -> None:
    sub = next(_subjects)
    limited.flood(asked, sub=sub)
    assert (limited.ask(READ, sub), limited.ask(STEP, sub)) == (200, 200)


def test_a_forged_token_takes_nothing_from_whom_it_names(limited: LimitedGateway) -> None:
    sub, kid = next(_subjects), public_key(next(keys.token_keys(limited.home).glob("*.pem")))["kid"]
    forged = bearer(signed(Ed25519PrivateKey.generate(), kid, sub=sub))
    assert {limited.http.post("/v1/requests", headers=forged).status_code for _ in range(30)} == {401}
    assert [limited.ask(FILE, sub) for _ in range(4)] == [200] * 4


def test_anyone_who_has_no_token_has_no_subject(limited: LimitedGateway) -> None:
    assert {limited.http.get("/v1/requests").status_code for _ in range(100)} == {200}


def test_anyone_who_holds_the_signing_key_does_not_wait(limited: LimitedGateway) -> None:
    assert KeyHolder.ACTOR == OPERATOR
    assert {limited.ask(READ, OPERATOR) for _ in range(100)} == {200}


def test_all_who_file_have_a_limit_together(full: LimitedGateway) -> None:
    refused = full.flood_with(map(full.token, _subjects), FILE)
    assert_problem(refused, TOO_OFTEN, "too-many")
    assert full.ask(READ) == 200


def test_anyone_who_floods_without_a_token_takes_nothing_from_those_who_have_one(full: LimitedGateway) -> None:
    full.flood_with(itertools.repeat(""), FILE)
    assert [full.ask(FILE) for _ in range(4)] == [200] * 4


def test_the_number_of_counted_subjects_is_limited(home: Home, upstream: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.gateway.limits.MOST_COUNTED", 2)
    with running(home, upstream, "forgetful", Limits(filing_rate=1)) as client:
        limited, sub = LimitedGateway(home, client), next(_subjects)
        limited.flood(FILE, sub=sub)
        assert [limited.ask(FILE, another) for another in ("acct_1", "acct_2", sub, sub)] == [200] * 4


def test_the_log_says_who_asked_too_often(limited: LimitedGateway) -> None:
    sub = next(_subjects)
    limited.flood(FILE, sub=sub)
    entries = logged(limited.home, "desk", lambda entry: entry["subject"] == sub and entry["status"] == TOO_OFTEN)
    assert entries[-1]["path"] == "/v1/requests"


def test_a_busy_operator_is_not_limited(gateway: httpx.Client, home: Home) -> None:
    mine = bearer(token(home, sub=next(_subjects)))
    with ThreadPoolExecutor(16) as hands:
        answers = list(hands.map(lambda turn: gateway.request(*turn, headers=mine), [READ] * 100 + [FILE] * 50))
    assert {answer.status_code for answer in answers} == {200}


def test_the_limits_of_subjects_are_settings(home: Home) -> None:
    front.prepare(Layout(home, Ports.free(), given={"LINLI_SUBJECT_RATE": "71", "LINLI_FILING_RATE_ALL": "9100"}))
    configuration = (home.run / "envoy.yaml").read_text()
    assert configuration.count("tokens_per_fill: 71,") == 1
    assert "tokens_per_fill: 9100," in configuration
