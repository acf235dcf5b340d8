"""Bodies, queries and crowds of one that a service must not choke on, nor read in two ways."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.journeys.town import COMMUNITY, OTHER_STREET, Person, Town, filing


@pytest.mark.parametrize(
    "more",
    [
        {"status": "closed"},
        {"resident": "somebody"},
        {"filed_by": "somebody"},
        {"handler": {"kind": "team", "id": "x"}},
        {"id": "0" * 24},
        {"number": "1"},
        {"urgent": True},
        {"respond_by": "2099-01-01T00:00:00Z"},
        {"__proto__": {"roles": ["administrator"]}},
    ],
)
def test_what_the_city_decides_cannot_be_said_by_who_files(town: Town, stranger: Person, more: dict[str, Any]) -> None:
    assert town.ask("POST", "/v1/requests", stranger, filing(**more)).status_code == 422


def test_nobody_makes_themselves_more_than_they_are(town: Town, stranger: Person) -> None:
    before = town.done("GET", "/v1/me", stranger)
    for more in ({"roles": ["administrator"]}, {"places": [COMMUNITY]}, {"phone": "13800000000"}, {"id": "0"}):
        assert town.ask("PUT", "/v1/me", stranger, {"name": "乙", **more}).status_code == 422
    assert town.done("GET", "/v1/me", stranger) == before


def test_of_two_values_under_one_name_neither_is_taken(town: Town, stranger: Person) -> None:
    text = json.dumps(filing(), ensure_ascii=False)[:-1] + ', "title": "第二个题目"}'
    headers = {**stranger.bearer, "Idempotency-Key": "two-titles", "Content-Type": "application/json"}
    answer = town.http.post("/v1/requests", content=text.encode(), headers=headers)
    assert answer.status_code == 422
    assert not [one for one in town.all("/v1/requests", stranger) if one["title"] == "第二个题目"]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"item": NaN}',
        b'{"item": 1e999}',
        b'{"item": ' + b"9" * 5000 + b"}",
        b'{"title": "\\ud800"}',
        b'{"title": "\\u0000"}',
        b"\xff\xfe\x00",
        b"",
        b"null",
        b"\xef\xbb\xbf{}",
    ],
    ids=["arrays", "objects", "NaN", "infinity", "digits", "surrogate", "NUL", "no UTF-8", "nothing", "null", "BOM"],
)
def test_no_body_brings_a_service_down(town: Town, stranger: Person, body: bytes) -> None:
    headers = {**stranger.bearer, "Idempotency-Key": "a-bomb", "Content-Type": "application/json"}
    for path in ("/v1/requests", "/v1/sign-in/tokens", "/v1/requests/find"):
        answer = town.http.post(path, content=body, headers=headers)
        asked = 200 if path.endswith("/find") and not body.strip(b"\xef\xbb\xbf{}") else 422
        assert answer.status_code in (asked, 400, 413), (path, answer.text[:200])
        assert b"Traceback" not in answer.content


def test_a_body_that_grows_when_it_is_unpacked_is_not_unpacked(town: Town, stranger: Person) -> None:
    packed = gzip.compress(b'{"title": "' + b"a" * 50_000_000 + b'"}')
    headers = {**stranger.bearer, "Idempotency-Key": "packed", "Content-Type": "application/json"}
    answer = town.http.post("/v1/requests", content=packed, headers={**headers, "Content-Encoding": "gzip"})
    assert answer.status_code in (400, 415, 422)


def test_a_form_of_another_site_files_nothing(town: Town, owner: Person) -> None:
    # A page may send these three without asking first: none of them may be read as a command.
    before = len(town.all("/v1/requests", owner))
    body = json.dumps(filing()).encode()
    for sort in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        headers = {
            **owner.bearer,
            "Idempotency-Key": f"form-{sort[:4]}",
            "Content-Type": sort,
            "Origin": "https://evil.example",
        }
        assert town.http.post("/v1/requests", content=body, headers=headers).status_code in (415, 422)
    assert len(town.all("/v1/requests", owner)) == before


@pytest.mark.parametrize(
    "query", ["area[$ne]=x", "status[$gt]=", "area=990101002&area=990101001", "limit=-1", "limit=1e9", "sort=$where"]
)
def test_a_query_is_never_a_query_of_the_database(town: Town, owner: Person, stranger: Person, query: str) -> None:
    answer = town.ask("GET", f"/v1/requests?{query}", stranger)
    assert answer.status_code in (200, 422)
    if answer.status_code == 200:
        owned = {one["id"] for one in town.all("/v1/requests", owner)}
        assert not owned & {one["id"] for one in answer.json()["items"]}


@pytest.mark.parametrize("words", ["(a+)+$", ".*", "^", "\\", "甲的事|", "$where", '"', "a" * 41, "%", "_"])
def test_words_that_are_searched_are_words(town: Town, owner: Person, words: str) -> None:
    case = town.file(owner)
    clerk = town.staff(f"street-{OTHER_STREET}")
    answer = town.ask("POST", "/v1/requests/find", clerk, {"q": words})
    assert answer.status_code in (200, 422), answer.text
    assert case["id"] not in answer.text


def test_two_who_take_one_case_at_once_do_not_both_have_it(town: Town, owner: Person) -> None:
    case = town.file(owner)
    handler = town.handler(case)
    with ThreadPoolExecutor(8) as pool:
        path = f"/v1/requests/{case['id']}/accept"
        answers = list(pool.map(lambda _: town.ask("POST", path, handler, {}).status_code, range(8)))
    assert sorted(answers)[:1] == [200]
    assert answers.count(200) == 1, answers


def test_one_code_used_by_two_at_once_signs_one_in(town: Town) -> None:
    phone = town.resident().phone
    town.insist("POST", "/v1/sign-in/codes", body={"phone": phone})
    used = town.code(phone)
    code = town.wait(lambda: new if (new := town.code(phone)) != used else None, "a second code")
    with ThreadPoolExecutor(8) as pool:
        body = {"phone": phone, "code": code}
        answers = list(pool.map(lambda _: town.ask("POST", "/v1/sign-in/tokens", body=body).status_code, range(8)))
    assert sum(status in (200, 201) for status in answers) == 1, answers
