"""Envoy's own administration: over a socket of its owner, and nothing of it over TCP but the metrics."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import psutil
import pytest

from deploy.gateway.limits import Limits
from deploy.local import Home, Ports, waiting
from tests.local.conftest import running


@dataclass(frozen=True)
class Administered:
    """A running gateway, the socket of its administration, and its page of metrics."""

    home: Home
    ports: Ports

    def over_the_socket(self, method: str, path: str) -> httpx.Response:
        """An answer of the administration."""
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(self.home.run / "administered.sock"))) as client:
            return client.request(method, f"http://envoy{path}")

    def over_tcp(self, method: str, path: str) -> httpx.Response:
        """An answer of the port of metrics."""
        return httpx.request(method, f"http://127.0.0.1:{self.ports.gateway_metrics}{path}")


@pytest.fixture(scope="module")
def administered(home: Home, upstream: int) -> Iterator[Administered]:
    ports = Ports.free()
    with running(home, upstream, "administered", Limits(), ports=ports):
        yield Administered(home, ports)


def test_the_administration_answers_its_owner_over_a_socket(administered: Administered) -> None:
    socket = administered.home.run / "administered.sock"
    assert stat.S_ISSOCK(socket.stat().st_mode)
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert "quitquitquit" in administered.over_the_socket("GET", "/help").text
    assert waiting.get_over(socket, "/ready", 5) == 200


def test_a_socket_that_nobody_serves_is_no_readiness(administered: Administered) -> None:
    assert waiting.get_over(administered.home.run / "nobody.sock", "/ready", 1) == 0


def test_metrics_of_the_gateway_can_be_fetched(administered: Administered) -> None:
    found = administered.over_tcp("GET", "/metrics")
    assert found.status_code == 200
    assert "# TYPE envoy_" in found.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/help"),
        ("GET", "/ready"),
        ("GET", "/config_dump"),
        ("GET", "/stats/prometheus"),
        ("GET", "/metrics/../config_dump"),
        ("GET", "/metrics/config_dump"),
        ("POST", "/metrics"),
        ("POST", "/quitquitquit"),
        ("POST", "/logging?level=trace"),
    ],
)
def test_nothing_else_of_the_administration_is_reached_over_tcp(
    administered: Administered, method: str, path: str
) -> None:
    assert administered.over_tcp(method, path).status_code == 404


def test_the_gateway_listens_on_two_ports_only(administered: Administered) -> None:
    ours = {administered.ports.gateway, administered.ports.gateway_metrics}
    (envoy,) = [
        one for one in psutil.Process().children() if ours & {c.laddr.port for c in one.net_connections() if c.laddr}
    ]
    listening = {c.laddr.port for c in envoy.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
    assert listening == ours
