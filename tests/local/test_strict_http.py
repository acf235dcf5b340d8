"""What the gateway takes of HTTP/1.1: as RFC 9112 says it, from connections that ask something."""

import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from deploy.gateway.limits import Limits
from deploy.local import Home
from tests.local.conftest import running
from tests.support.sockets import BARE, CLOSES, REFUSED, ask, closed_after

PATH = b"/v1/areas"
HURRIED = {
    "request_headers_timeout: 10s": "request_headers_timeout: 1s",
    "request_timeout: 30s": "request_timeout: 1s",
    "            idle_timeout: 120s": "            idle_timeout: 1s",
    "max_active_downstream_connections: 10000": "max_active_downstream_connections: 20",
}


@pytest.fixture(scope="module")
def hurried(home: Home, upstream: int) -> Iterator[int]:
    """The port of a gateway that waits for a second only, and takes 20 connections."""
    with running(home, upstream, "hurried", Limits(), changed=HURRIED) as client:
        yield client.base_url.port or 80


@pytest.mark.parametrize("kind", REFUSED)
def test_a_request_that_may_be_read_in_two_ways_is_refused(gateway: httpx.Client, kind: str) -> None:
    answer = ask(gateway.base_url.port or 80, REFUSED[kind] % PATH)
    assert answer.startswith(b"HTTP/1.1 400 "), answer[:80]


def test_the_refusal_of_two_hosts_is_a_problem(gateway: httpx.Client) -> None:
    answer = ask(gateway.base_url.port or 80, REFUSED["two hosts"] % PATH)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "bad-request"


@pytest.mark.parametrize("host", [b"city.example", b"127.0.0.1:18000", b"[::1]:443", b"xn--0zwm56d.example"])
def test_one_host_of_any_name_is_taken(gateway: httpx.Client, host: bytes) -> None:
    request = b"GET %s HTTP/1.1\r\nHost: %s\r\n%s" % (PATH, host, CLOSES)
    assert ask(gateway.base_url.port or 80, request).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("kind", BARE)
def test_a_bare_line_break_does_not_reach_a_service(gateway: httpx.Client, kind: str) -> None:
    """Envoy takes a bare LF as the end of a line (RFC 9112 §2.2 lets it), removes a CR, and writes its own request."""
    answer = ask(gateway.base_url.port or 80, BARE[kind] % PATH)
    arrived = json.loads(answer.partition(b"\r\n\r\n")[2])["headers"]
    assert not any(mark in value for value in arrived.values() for mark in "\r\n")
    assert {name: arrived[name] for name in ("x-a", "x-c") if name in arrived} in (
        {},
        {"x-a": "b", "x-c": "d"},
        {"x-a": "bX-C: d"},
    )


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"GET /v1/areas HTTP/1.1\r\nHost: a\r\n"],
        [b"GET /v1/areas HTTP/1.1\r\nHost: a\r\n", *(b"x-%d: 1\r\n" % number for number in range(30))],
        [b"POST /v1/areas HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n", *([b"x"] * 30)],
        [b"GET /v1/areas HTTP/1.1\r\nHost: a\r\n\r\n"],
    ],
    ids=["nothing", "half the headers", "a header now and then", "a byte of the body now and then", "one request"],
)
def test_a_connection_that_only_waits_is_closed(hurried: int, parts: list[bytes]) -> None:
    # After an answer Envoy waits for five seconds more, in which it takes no request.
    assert 0.5 < closed_after(hurried, *parts) < 9


def test_more_connections_than_may_be_open_are_closed_at_once(hurried: int) -> None:
    opened = [socket.create_connection(("127.0.0.1", hurried), 5) for _ in range(20)]
    try:
        assert closed_after(hurried) < 0.5
    finally:
        for one in opened:
            one.close()


def test_more_headers_than_may_be_are_refused(gateway: httpx.Client) -> None:
    many = b"".join(b"x-%d: 1\r\n" % number for number in range(101))
    request = b"GET %s HTTP/1.1\r\nHost: a\r\n%s%s" % (PATH, many, CLOSES)
    assert ask(gateway.base_url.port or 80, request).startswith(b"HTTP/1.1 431 ")
