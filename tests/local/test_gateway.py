"""What the gateway lets through, what it refuses, and in which words."""

import json
import secrets
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.gateway import render
from deploy.gateway.limits import Limits
from deploy.local import Home, keys, tools
from services.chassis.http.signing import public_key
from tests.local.conftest import HOUR, assert_problem, bearer, logged, running, signed, token


def test_envoy_has_nothing_against_the_configuration(gateway: httpx.Client, home: Home) -> None:
    assert render.complaints(tools.envoy(), home.run / "gateway.yaml") == ()


def test_a_warning_of_envoy_is_a_complaint(gateway: httpx.Client, home: Home) -> None:
    text = (home.run / "gateway.yaml").read_text()
    changed = home.run / "changed.yaml"
    changed.write_text(text.replace("            timeout: 1s", "") + "\nnode: {unknown_field: 1}\n")
    assert render.complaints(tools.envoy(), changed)


def test_a_stream_has_no_time_limit_but_one_for_silence(gateway: httpx.Client, home: Home) -> None:
    text = (home.run / "gateway.yaml").read_text()
    stream = text.split("match: {path: /v1/inbox/stream}")[1].split("- match")[0]
    assert "timeout: 0s, idle_timeout: 60s" in stream
    assert "disabled: true" in stream


def test_every_retry_condition_is_one_that_envoy_knows(gateway: httpx.Client, home: Home) -> None:
    # An unknown one is ignored without a word.
    known = {"connect-failure", "refused-stream", "reset-before-request"}
    lines = [line for line in (home.run / "gateway.yaml").read_text().splitlines() if "retry_on:" in line]
    assert lines
    assert {word for line in lines for word in line.split("retry_on:")[1].strip().split(",")} == known


@pytest.mark.parametrize(
    "path",
    ["/v1/sign-in/codes", "/v1/me", "/v1/areas/150702", "/v1/teams", "/.well-known/jwks.json", "/v1/catalogue/suggest"],
)
def test_a_public_path_reaches_its_service(gateway: httpx.Client, path: str) -> None:
    assert gateway.post(path).json()["path"] == path


def test_the_description_of_one_service_is_passed_on(gateway: httpx.Client) -> None:
    assert gateway.get("/members/openapi.json").json()["path"] == "/openapi.json"


@pytest.mark.parametrize(
    "path",
    ["/healthz", "/readyz", "/metrics", "/docs", "/redoc", "/v1", "/v1/areasabc", "/v2/areas", "/members/metrics"],
)
def test_other_paths_are_not_found(gateway: httpx.Client, path: str) -> None:
    assert_problem(gateway.get(path), 404, "address-unknown")


def test_a_path_cannot_escalate_to_what_is_closed(gateway: httpx.Client) -> None:
    assert_problem(raw(gateway, "/v1/areas/../../metrics"), 404, "address-unknown")
    assert_problem(raw(gateway, "/v1//areas/..%2f..%2fmetrics"), 400, "bad-request")
    assert raw(gateway, "//v1///areas").json()["path"] == "/v1/areas"


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("en", "en"),
        ("en-GB,en;q=0.9,zh;q=0.5", "en"),
        ("fr, en;q=0.5", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr, zh;q=0.5, en;q=0.1", "zh"),
        ("mn", "zh"),
    ],
)
def test_a_refusal_speaks_the_language_asked_for(gateway: httpx.Client, asked: str, language: str) -> None:
    assert_problem(gateway.get("/nowhere", headers={"accept-language": asked}), 404, "address-unknown", language)


def test_a_refusal_has_the_wording_and_the_languages_of_the_city(home: Home, upstream: int, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    worded = {"zh": "没有这个地址，请拨打“12345”。", "mn": 'Ийм хаяг алга: 100% "үгүй".'}
    for language, sentence in worded.items():
        text = f"[chassis.refusals]\naddress-unknown = {json.dumps(sentence, ensure_ascii=False)}"
        (tmp_path / "texts" / f"{language}.toml").write_text(text, "utf-8")
    with running(home, upstream, "worded", Limits(), tmp_path) as client:
        for language, sentence in worded.items():
            refused = client.get("/nowhere", headers={"accept-language": f"{language}, fr"})
            assert_problem(refused, 404, "address-unknown", language)
            assert refused.json()["detail"] == sentence


def test_a_valid_token_is_passed_on(gateway: httpx.Client, home: Home) -> None:
    sent = bearer(token(home))
    assert gateway.get("/v1/me", headers=sent).json()["headers"]["authorization"] == sent["authorization"]


def test_a_request_without_token_is_the_services_to_judge(gateway: httpx.Client) -> None:
    assert gateway.get("/v1/me").status_code == 200


def test_an_expired_token_is_refused(gateway: httpx.Client, home: Home) -> None:
    answer = gateway.get("/v1/me", headers=bearer(token(home, exp=datetime.now(UTC) - HOUR)))
    assert_problem(answer, 401, "token-invalid")
    assert "Bearer" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("claims", [{"aud": "another"}, {"iss": "another"}, {"exp": None}])
def test_a_token_for_somebody_else_is_refused(gateway: httpx.Client, home: Home, claims: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    result = {"iss": "linli", "aud": "linli", "sub": "acct_1", "exp": now + HOUR, **claims}
    pem = next(keys.token_keys(home).glob("*.pem"))
    kept = {name: value for name, value in result.items() if value is not None}
    text = jwt.encode(kept, pem.read_text(), algorithm="EdDSA", headers={"kid": public_key(pem)["kid"]})
    assert_problem(gateway.get("/v1/me", headers={**bearer(text), "accept-language": "en"}), 401, "token-invalid", "en")


def test_a_forged_token_is_refused(gateway: httpx.Client, home: Home) -> None:
    kid = public_key(next(keys.token_keys(home).glob("*.pem")))["kid"]
    assert_problem(
        gateway.get("/v1/me", headers=bearer(signed(Ed25519PrivateKey.generate(), kid))), 401, "token-invalid"
    )


@pytest.mark.parametrize("text", ["rubbish", "a.b.c"])
def test_what_is_no_token_is_refused(gateway: httpx.Client, text: str) -> None:
    assert_problem(gateway.get("/v1/me", headers=bearer(text)), 401, "token-invalid")


def test_a_token_without_signature_is_refused(gateway: httpx.Client) -> None:
    claims = {"iss": "linli", "aud": "linli", "sub": "acct_1", "exp": datetime.now(UTC) + HOUR}
    text = jwt.encode(claims, "", algorithm="none")
    assert_problem(gateway.get("/v1/me", headers=bearer(text)), 401, "token-invalid")


def test_a_token_in_the_address_does_not_count(gateway: httpx.Client) -> None:
    assert gateway.get("/v1/me?access_token=rubbish").status_code == 200


def test_a_client_cannot_say_who_it_is(gateway: httpx.Client) -> None:
    claimed = {"X-Auth-Sub": "1", "x-linli-role": "administrator", "X-Forwarded-User": "root", "remote-user": "root"}
    arrived = gateway.get("/v1/me", headers={**claimed, "x-kept": "1"}).json()["headers"]
    assert arrived["x-kept"] == "1"
    assert not {name.lower() for name in claimed} & set(arrived)


def test_a_trace_is_passed_on(gateway: httpx.Client) -> None:
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert gateway.get("/v1/me", headers={"traceparent": parent}).json()["headers"]["traceparent"] == parent


def test_a_body_up_to_the_limit_is_passed_on(gateway: httpx.Client) -> None:
    assert gateway.post("/v1/requests", content=b"x" * 1024 * 1024).json()["body"] == 1024 * 1024


def test_a_body_over_the_limit_is_refused(gateway: httpx.Client) -> None:
    answer = gateway.post("/v1/requests", content=b"x" * (1024 * 1024 + 1))
    assert "1048576" in assert_problem(answer, 413, "body-too-large")["detail"]


def test_headers_with_underscores_are_refused(gateway: httpx.Client) -> None:
    assert_problem(gateway.get("/v1/me", headers={"x_auth_sub": "1"}), 400, "bad-request")


def test_headers_over_the_limit_are_refused(gateway: httpx.Client) -> None:
    assert gateway.get("/v1/me", headers={"x-long": "x" * 40_000}).status_code == 431


def test_a_service_that_is_away_is_said_to_be(gateway: httpx.Client) -> None:
    for method, path in (("GET", "/v1/inbox"), ("PUT", "/v1/preferences"), ("GET", "/v1/inbox/stream")):
        answer = gateway.request(method, path, headers={"accept-language": "en"})
        assert_problem(answer, 503, "unavailable", "en")
        assert int(answer.headers["retry-after"]) > 0


def test_the_page_needs_nothing_from_elsewhere(gateway: httpx.Client) -> None:
    page = gateway.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "http://" not in page.text
    assert "https://" not in page.text
    for path in ("/page/swagger-ui-bundle.js", "/page/swagger-ui.css", "/page/page.js", "/openapi.json"):
        assert gateway.get(path).status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_answers_say_nothing_about_what_runs(gateway: httpx.Client) -> None:
    for path in ("/", "/v1/me", "/nowhere", "/v1/inbox"):
        result = {name.lower() for name in gateway.get(path).headers}
        assert not result & {"server", "x-envoy-upstream-service-time", "x-powered-by"}
        assert "x-content-type-options" in result


def test_the_log_holds_no_query_and_no_token(gateway: httpx.Client, home: Home) -> None:
    gateway.get("/v1/track/HLBE-1?code=0042", headers=bearer("secret.secret.secret"))
    gateway.get("/v1/track/HLBE-2?code=0042")
    entries = logged(home, "gateway", lambda entry: entry["path"] == "/v1/track/HLBE-2")
    text = json.dumps(entries)
    assert "code=" not in text
    assert "secret" not in text
    assert [e["status"] for e in entries if (e["path"] or "").startswith("/v1/track/")] == [401, 200]


def raw(gateway: httpx.Client, path: str) -> httpx.Response:
    """The answer to a path that a client library would tidy up."""
    with socket.create_connection((gateway.base_url.host, gateway.base_url.port or 80), 10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = [(name, value) for name, value in (line.split(": ", 1) for line in lines) if name != "transfer-encoding"]
    return httpx.Response(int(status.split()[1]), headers=headers, content=body)


def test_a_client_cannot_steer_the_gateway(gateway: httpx.Client) -> None:
    steering = {
        "X-Envoy-Retry-On": "5xx",
        "X-Envoy-Max-Retries": "40",
        "X-Envoy-Upstream-Rq-Timeout-Ms": "1",
        "x-envoy-decorator-operation": "other",
        "X-Envoy-Force-Trace": "1",
    }
    arrived = gateway.get("/v1/me", headers={**steering, "x-kept": "1"})
    assert (arrived.status_code, arrived.json()["headers"]["x-kept"]) == (200, "1")
    assert not {name.lower() for name in steering} & set(arrived.json()["headers"])


def test_a_clients_own_request_id_is_kept_beside_ours_and_is_short(gateway: httpx.Client, home: Home) -> None:
    theirs = secrets.token_hex(64)
    answer = gateway.get("/v1/me", headers={"x-request-id": theirs, "x-client-request-id": "forged"})
    arrived = answer.json()["headers"]
    assert arrived["x-client-request-id"] == theirs[:64]
    assert answer.headers["x-request-id"] == arrived["x-request-id"] != theirs
    entries = logged(home, "gateway", lambda entry: entry.get("client_request_id") == theirs[:64])
    assert entries[-1]["request_id"] == arrived["x-request-id"]
    assert "x-client-request-id" not in gateway.get("/v1/me").json()["headers"]
