"""What the tests of the local stack share: a home with keys, a tiny service, and a real gateway before it."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from deploy.gateway import problems, render
from deploy.gateway.limits import Limits
from deploy.local import Home, Ports, keys, tools
from services.chassis.http.signing import public_key

HOUR = timedelta(hours=1)


class Echo(BaseHTTPRequestHandler):
    """Says what reached it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: the second would wait for 40 ms

    def answer(self) -> None:
        """Everything of the request that a test may ask for."""
        length = int(self.headers.get("content-length", 0))
        seen = {"path": self.path, "method": self.command, "body": len(self.rfile.read(length))}
        headers = {name.lower(): value for name, value in self.headers.items()}
        content = json.dumps({**seen, "headers": headers}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("home"))
    made.make()
    keys.make(made)
    return made


@pytest.fixture(scope="session")
def upstream() -> Iterator[int]:
    """The port of a tiny service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def gateway(home: Home, upstream: int) -> Iterator[httpx.Client]:
    """A real Envoy: members and requests are the tiny service, notify is not there."""
    with running(home, upstream, "gateway", Limits()) as client:
        yield client


@contextmanager
def running(
    home: Home,
    upstream: int,
    name: str,
    limits: Limits,
    city_data: Path | None = None,
    changed: Mapping[str, str] | None = None,
    ports: Ports | None = None,
) -> Iterator[httpx.Client]:
    """A real Envoy with these limits and the wording of this city; its log has its name.

    ``changed``: lines of its configuration, each with another in its place.
    """
    ports = ports or Ports.free()
    openapi = home.run / "openapi.json"
    openapi.write_text('{"openapi": "3.1.0"}')
    # Of two webs of members one is away: all goes to the other.
    webs = {"members": [ports.members_web, upstream], "requests": [upstream], "notify": [ports.notify_web]}
    configuration = home.run / f"{name}.yaml"
    texts = problems.texts(city_data)
    wanted = render.Gateway(
        ports.gateway,
        home.run / f"{name}.sock",
        ports.gateway_metrics,
        webs,
        keys.jwks(home),
        openapi=openapi,
        limits=limits,
        texts=texts,
    )
    text = render.render(wanted)
    for line, other in (changed or {}).items():
        assert text.count(line) == 1
        text = text.replace(line, other)
    configuration.write_text(text)
    with (home.logs / f"{name}.log").open("wb") as log:
        quiet = ("--disable-hot-restart", "--concurrency", "1", "--log-level", "warning")
        at_once = ("--file-flush-interval-msec", "50")
        envoy = subprocess.Popen([tools.envoy(), "-c", str(configuration), *quiet, *at_once], stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{ports.gateway}", timeout=20) as client:
            _wait_for(client)
            yield client
    finally:
        envoy.terminate()
        envoy.wait(20)


def _wait_for(client: httpx.Client) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if client.get("/v1/areas").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the gateway did not start")


def assert_problem(answer: httpx.Response, status: int, code: str, language: str = "zh") -> dict[str, Any]:
    """The content of a refusal with this status and code, in this language."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == language
    problem: dict[str, Any] = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert tuple(problem) == ("type", "title", "status", "code", "detail")
    assert not answer.text.endswith("\n")
    assert problem["type"] == f"urn:linli:problem:{code}"
    assert ("\u4e00" <= problem["detail"][0] <= "\u9fff") == (language == "zh")
    return problem


def token(home: Home, **claims: Any) -> str:
    """A token as members would sign it, with some claims changed."""
    pem = next(keys.token_keys(home).glob("*.pem"))
    return signed(pem.read_text(), public_key(pem)["kid"], **claims)


def signed(key: Any, kid: str, **claims: Any) -> str:
    """A token signed with any key, with some claims changed."""
    now = datetime.now(UTC)
    result = {"iss": "linli", "aud": "linli", "sub": "acct_1", "iat": now, "exp": now + HOUR, **claims}
    return jwt.encode(result, key, algorithm="EdDSA", headers={"kid": kid, "typ": "at+jwt"})


def bearer(text: str) -> dict[str, str]:
    """The header that brings a token."""
    return {"authorization": f"Bearer {text}"}


def logged(home: Home, name: str, until: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """The access log of the gateway of this name, up to the first entry that is waited for."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        lines = (home.logs / f"{name}.log").read_text().splitlines()
        entries: list[dict[str, Any]] = [json.loads(line) for line in lines if line.startswith("{")]
        for number, entry in enumerate(entries, 1):
            if until(entry):
                return entries[:number]
        time.sleep(0.05)
    raise AssertionError("what is waited for is not in the log")
