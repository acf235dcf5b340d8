"""Bad input through the gateway: refused with status, code and a sentence in the language asked for."""

import base64
import json
from typing import Any

import httpx
import pytest

from tests.journeys.town import OTHER_COUNTY, Person, Town, filing, new_phone

BAD_FILINGS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown field": ({"urgent": True}, "invalid"),
    "a wrong type": ({"title": 7}, "invalid"),
    "an operator in place of a text": ({"text": {"$ne": ""}}, "invalid"),
    "too long a text": ({"text": "长" * 4001}, "invalid"),
    "an unknown item": ({"item": "GOV-DRAGON"}, "item-unknown"),
    "an unknown area": ({"area": "990101001099"}, "area-unknown"),
    "an area that is too wide": ({"area": "990101"}, "area-too-wide"),
    "a missing answer": ({"answers": {}}, "answers-unfit"),
}


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal that has the form of all refusals."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    return answer.status_code, problem["code"]


@pytest.mark.parametrize("wrong", BAD_FILINGS)
def test_a_request_that_is_wrong_is_refused_and_nothing_is_written(town: Town, wrong: str) -> None:
    change, code = BAD_FILINGS[wrong]
    resident = somebody(town)
    before = cases(town, resident)
    assert refused(town.ask("POST", "/v1/requests", resident, filing(**change))) == (422, code)
    assert cases(town, resident) == before


def test_operators_of_a_database_in_plain_values_are_text(town: Town) -> None:
    resident = somebody(town)
    case = town.file(resident, title="$where", text='{"$gt": ""}')
    assert (case["title"], case["text"]) == ("$where", '{"$gt": ""}')
    assert refused(town.ask("GET", "/v1/requests/$ne", resident)) == (404, "not-found")


def test_a_refusal_speaks_the_language_that_was_asked_for(town: Town) -> None:
    resident, body = somebody(town), filing(item="GOV-DRAGON")
    zh = town.ask("POST", "/v1/requests", resident, body).json()["detail"]
    en = town.ask("POST", "/v1/requests", resident, body, headers={"Accept-Language": "en"}).json()["detail"]
    assert "没有编号为 GOV-DRAGON 的服务事项" in zh
    assert "There is no service item GOV-DRAGON" in en


def test_a_body_over_a_mebibyte_is_refused(town: Town) -> None:
    answer = town.ask("POST", "/v1/requests", somebody(town), filing(text="x" * (1024 * 1024)))
    assert refused(answer) == (413, "body-too-large")


def test_a_bad_cursor_a_missing_key_and_a_stale_version_are_reported(town: Town) -> None:
    resident = somebody(town)
    case = town.file(resident)
    assert refused(town.ask("GET", "/v1/requests", resident, params={"after": "nonsense"})) == (422, "cursor-invalid")
    keyless = town.http.post("/v1/requests", json=filing(), headers=resident.bearer)
    assert refused(keyless) == (428, "key-needed")
    path = f"/v1/requests/{case['id']}/comment"
    stale = town.ask("POST", path, resident, {"text": "再补充一句"}, headers={"If-Match": '"1"'})
    assert refused(stale) == (412, "stale")


def test_a_step_that_the_state_does_not_allow_says_which_are(town: Town) -> None:
    case = town.file(somebody(town))
    handler = town.handler(case)
    answer = town.ask("POST", f"/v1/requests/{case['id']}/resolve", handler, {"answer": "好了"})
    assert refused(answer) == (409, "step-not-allowed")
    assert "接单" in answer.json()["detail"]


def test_what_is_somebody_elses_is_not_there(town: Town) -> None:
    case = town.file(somebody(town))
    for stranger in (town.resident(), town.staff("street-990101002"), town.staff(f"supervisor-{OTHER_COUNTY}")):
        assert refused(town.ask("GET", f"/v1/requests/{case['id']}", stranger)) == (404, "not-found")
        assert refused(town.ask("GET", f"/v1/requests/{case['id']}/timeline", stranger)) == (404, "not-found")
        words = {"text": "不该写进去"}
        assert refused(town.ask("POST", f"/v1/requests/{case['id']}/comment", stranger, words)) == (404, "not-found")


def test_tokens_that_do_not_hold_are_refused(town: Town) -> None:
    resident = somebody(town)
    head, claims, mark = resident.token.split(".")
    for forged in (
        f"{encoded({'alg': 'none', 'typ': 'at+jwt'})}.{claims}.",
        f"{head}.{encoded({**resident.claims, 'roles': ['administrator']})}.{mark}",
        f"{head}.{encoded({**resident.claims, 'aud': 'elsewhere'})}.{mark}",
        "nonsense",
    ):
        assert refused(town.ask("GET", "/v1/me", Person(forged))) == (401, "token-invalid")
    assert refused(town.ask("GET", "/v1/me")) == (401, "sign-in-needed")


def test_who_somebody_is_cannot_be_said_in_a_header(town: Town) -> None:
    claims = json.dumps(town.staff("administrator").claims)
    headers = {"X-Linli-Actor": claims, "X-Auth-Request-User": "administrator", "X-User-Roles": "administrator"}
    assert refused(town.ask("GET", "/v1/accounts", headers=headers)) == (401, "sign-in-needed")
    assert refused(town.ask("GET", "/v1/accounts", somebody(town), headers=headers)) == (403, "forbidden")


def test_too_many_codes_and_too_many_wrong_codes_are_refused_with_a_time_to_wait(town: Town) -> None:
    phone = new_phone()
    town.done("POST", "/v1/sign-in/codes", body={"phone": phone})
    again = town.ask("POST", "/v1/sign-in/codes", body={"phone": phone})
    assert refused(again) == (429, "too-many-codes")
    assert 0 < int(again.headers["Retry-After"]) <= 60
    right = town.wait(lambda: town.code(phone), "the code")
    body = {"phone": phone, "code": f"{(int(right) + 1) % 1_000_000:06}"}
    for _ in range(5):
        assert refused(town.ask("POST", "/v1/sign-in/tokens", body=body)) == (401, "code-wrong")
    locked = town.ask("POST", "/v1/sign-in/tokens", body={**body, "code": right})
    assert refused(locked) == (429, "too-many-wrong-codes")
    assert int(locked.headers["Retry-After"]) > 0


def test_metrics_and_readiness_are_not_reachable_through_the_gateway(town: Town) -> None:
    for path in ("/metrics", "/healthz", "/readyz", "/docs"):
        assert town.http.get(path).status_code == 404


def somebody(town: Town) -> Person:
    """A resident who may be shared: signing in is not what these journeys are about."""
    if "a resident" not in town.signed_in:
        town.signed_in["a resident"] = town.resident()
    return town.signed_in["a resident"]


def cases(town: Town, who: Person) -> list[str]:
    """The ids of somebody's requests."""
    return [one["id"] for one in town.done("GET", "/v1/requests", who, params={"limit": 200})["items"]]


def encoded(content: dict[str, Any]) -> str:
    """One part of a token."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
