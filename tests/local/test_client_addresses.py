"""The address of a client, as the gateway tells it to the services: no client can say another."""

from collections.abc import Iterator

import httpx
import pytest

from deploy.gateway.limits import Limits
from deploy.local import Home
from services.contracts.members.work import CLIENT_ADDRESS
from tests.local.conftest import running

FORGED = {
    CLIENT_ADDRESS: "198.51.100.1",
    "x-envoy-external-address": "198.51.100.4",
    "x-forwarded-for": "198.51.100.2",
    "x-real-ip": "198.51.100.3",
}


def seen(gateway: httpx.Client, headers: dict[str, str]) -> str:
    answer = gateway.post("/v1/sign-in/codes", json={}, headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["headers"][CLIENT_ADDRESS])


def test_what_a_client_says_of_its_address_is_replaced_by_where_it_comes_from(gateway: httpx.Client) -> None:
    assert seen(gateway, {}) == "127.0.0.1"
    assert seen(gateway, FORGED) == "127.0.0.1"
    with httpx.Client(
        base_url=gateway.base_url, transport=httpx.HTTPTransport(local_address="127.0.9.9"), timeout=10
    ) as other:
        assert seen(other, FORGED) == "127.0.9.9"


@pytest.fixture(scope="module")
def behind_a_proxy(home: Home, upstream: int) -> Iterator[httpx.Client]:
    """A gateway with a load balancer of ours in front."""
    with running(home, upstream, "behind-a-proxy", Limits(trusted_hops=1)) as client:
        yield client


def test_behind_a_proxy_of_ours_the_last_address_that_it_noted_counts(behind_a_proxy: httpx.Client) -> None:
    noted = {"x-forwarded-for": "198.51.100.2, 203.0.113.7"}
    assert seen(behind_a_proxy, noted) == "203.0.113.7", "what the client wrote before it counts for nothing"
    assert seen(behind_a_proxy, {**noted, CLIENT_ADDRESS: "198.51.100.1"}) == "203.0.113.7"
