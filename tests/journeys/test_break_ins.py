"""What somebody tries who wants in: each is tried through the gateway of a running town, and must be worth nothing."""

import base64
import hmac
import json
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.journeys.town import Person, Town, filing
from tests.support.sockets import ask

EVIL = "https://evil.example"


@pytest.fixture(scope="module")
def case(town: Town, owner: Person) -> dict[str, Any]:
    """What is tried for."""
    return town.file(owner, title="甲的事", text="只有甲知道的一句话")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/me/../accounts",
        "/v1/me/..%2faccounts",
        "/v1/me/%2e%2e/accounts",
        "/v1/me/%252e%252e/accounts",
        "/v1//accounts",
        "//v1/accounts",
        "/v1/me;/../accounts",
        "/v1/me\\..\\accounts",
        "/v1/me%00/../accounts",
        "/V1/ACCOUNTS",
        "/v1/accounts/.",
    ],
)
def test_no_spelling_of_a_path_opens_what_a_role_closes(town: Town, stranger: Person, path: str) -> None:
    port = town.http.base_url.port
    assert port is not None
    lines = f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {stranger.token}\r\nConnection: close\r\n\r\n"
    answer = ask(port, lines.encode())
    assert answer.split(b" ", 2)[1] in (b"400", b"403", b"404"), answer[:200]
    assert b"items" not in answer


def test_a_header_that_names_another_method_or_path_changes_nothing(
    town: Town, owner: Person, case: dict[str, Any]
) -> None:
    path = f"/v1/requests/{case['id']}"
    headers = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE", "X-HTTP-Method": "DELETE"}
    elsewhere = {
        "X-Original-URL": "/v1/accounts",
        "X-Rewrite-URL": "/v1/accounts",
        "X-Forwarded-Prefix": "/v1/accounts",
    }
    answer = town.ask("GET", path, owner, headers={**headers, **elsewhere})
    assert (answer.status_code, answer.json()["id"]) == (200, case["id"])


def test_a_public_key_is_no_secret_to_sign_with(town: Town, stranger: Person) -> None:
    published = town.http.get("/.well-known/jwks.json").text
    parts = stranger.token.split(".")
    header = json.loads(base64.urlsafe_b64decode(parts[0] + "=="))
    for secret in (published, json.dumps(json.loads(published)["keys"][0]), ""):
        for kid in (header["kid"], "../../../../dev/null", "' or 1=1 --"):
            claims = {**stranger.claims, "roles": ["administrator"], "places": ["15"]}
            forged = signed({**header, "alg": "HS256", "kid": kid}, claims, secret)
            assert town.ask("GET", "/v1/accounts", Person(forged)).status_code == 401
    keyed = signed({**header, "alg": "HS256", "jwk": {"kty": "oct", "k": "eA"}}, stranger.claims, "x")
    assert town.ask("GET", "/v1/me", Person(keyed)).status_code == 401


def signed(header: dict[str, Any], claims: dict[str, Any], secret: str) -> str:
    """A token with an HMAC, by hand: a library refuses a public key as the secret."""
    text = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    return f"{text}.{encoded(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"


def encoded(content: bytes) -> str:
    """One part of a token."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def test_a_token_in_a_cookie_or_an_address_is_none(town: Town, owner: Person) -> None:
    for headers in (
        {"Cookie": f"access_token={owner.token}; token={owner.token}; session={owner.token}"},
        {"Authorization": f"Basic {base64.b64encode(owner.token.encode()).decode()}"},
        {"Proxy-Authorization": f"Bearer {owner.token}"},
    ):
        assert town.ask("GET", "/v1/me", headers=headers).status_code == 401
    assert town.ask("GET", "/v1/me", params={"access_token": owner.token}).status_code == 401


def test_a_key_of_somebody_else_gives_nothing_of_their_answer(town: Town, owner: Person, stranger: Person) -> None:
    key = "a-key-that-both-use"
    first = town.done("POST", "/v1/requests", owner, filing(title="甲的键"), key=key)
    second = town.done("POST", "/v1/requests", stranger, filing(title="甲的键"), key=key)
    assert first["id"] != second["id"]
    assert town.ask("GET", f"/v1/requests/{second['id']}", owner).status_code == 404


def test_a_page_of_another_site_may_not_read_an_answer(town: Town, owner: Person) -> None:
    for origin in (EVIL, "null", f"{EVIL}.localhost", str(town.http.base_url).rstrip("/") + ".evil.example"):
        answers = [
            town.ask("GET", "/v1/me", owner, headers={"Origin": origin}),
            town.http.options("/v1/me", headers={"Origin": origin, "Access-Control-Request-Method": "GET"}),
        ]
        for answer in answers:
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "DEBUG", "get"])
def test_methods_that_no_route_has_are_refused(town: Town, owner: Person, method: str) -> None:
    port = town.http.base_url.port
    assert port is not None
    lines = f"{method} /v1/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {owner.token}\r\nConnection: close\r\n\r\n"
    answer = ask(port, lines.encode())
    assert answer.split(b" ", 2)[1] in (b"400", b"403", b"404", b"405", b"501"), answer[:200]
    assert owner.token.encode() not in answer


def test_whether_it_is_there_is_not_shown_by_a_condition_or_by_head(
    town: Town, owner: Person, stranger: Person, case: dict[str, Any]
) -> None:
    path, none = f"/v1/requests/{case['id']}", f"/v1/requests/{case['id'][:-4]}0000"
    tag = town.ask("GET", path, owner).headers["etag"]
    for headers in ({}, {"If-None-Match": tag}, {"If-None-Match": "*"}, {"Range": "bytes=0-10"}, {"If-Match": tag}):
        for method in ("GET", "HEAD"):
            there, nowhere = (town.ask(method, one, stranger, headers=headers) for one in (path, none))
            assert (there.status_code, nowhere.status_code) == (404, 404)
            assert same(there) == same(nowhere)


def same(answer: httpx.Response) -> tuple[list[str], int]:
    """What of an answer must not differ between what is not there and what is somebody else's."""
    return sorted(answer.headers), len(answer.content)


def test_a_cursor_of_somebody_elses_list_gives_only_what_is_mine(town: Town, owner: Person, stranger: Person) -> None:
    for _ in range(2):
        town.file(owner)
    page = town.done("GET", "/v1/requests", owner, params={"limit": 1})
    assert page["next"]
    answer = town.ask("GET", "/v1/requests", stranger, params={"after": page["next"]})
    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        mine = {one["id"] for one in town.all("/v1/requests", stranger)}
        assert {one["id"] for one in answer.json()["items"]} <= mine


def test_a_place_in_the_stream_of_somebody_else_gives_nothing_of_it(
    town: Town, owner: Person, stranger: Person
) -> None:
    town.wait(lambda: town.inbox(owner), "a message of the owner")
    places = [one["id"] for one in town.inbox(owner)]
    with town.http.stream("GET", "/v1/inbox/stream", headers={**owner.bearer, "Last-Event-ID": "0"}, timeout=2) as own:
        assert places[0] in all_that_comes(own), "the owner gets it"
    for last in [*places[:2], "0", "*", "-1", "9" * 40, '{"$gt":""}']:
        headers = {**stranger.bearer, "Last-Event-ID": last}
        with town.http.stream("GET", "/v1/inbox/stream", headers=headers, timeout=2) as stream:
            assert stream.status_code in (200, 422)
            sent = all_that_comes(stream)
        assert not [place for place in places if place in sent]


def all_that_comes(stream: httpx.Response) -> str:
    """What a stream sends until it is silent."""
    lines: list[str] = []
    with suppress(httpx.ReadTimeout):
        for line in stream.iter_lines():
            lines.append(line)  # noqa: PERF402 - what came before the silence counts
    return "\n".join(lines)


def test_a_number_without_its_code_and_a_wrong_code_are_one_answer(town: Town, case: dict[str, Any]) -> None:
    wrong = town.ask("GET", f"/v1/track/{case['number']}", params={"code": "XXXXXX"})
    unknown = town.ask("GET", "/v1/track/2020010199999", params={"code": "XXXXXX"})
    assert (wrong.status_code, wrong.json()["code"]) == (unknown.status_code, unknown.json()["code"])
    assert "甲" not in wrong.text
