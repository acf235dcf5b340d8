"""Ports: their settings, free ones, and the sentence about a busy one."""

import os
import socket
from collections.abc import Iterator

import pytest

from deploy.local import Ports, Trouble
from deploy.local.ports import is_busy


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_busy_port_is_named_with_its_holder_and_its_setting(taken: int) -> None:
    with pytest.raises(Trouble) as refused:
        Ports(gateway=taken).refuse_busy(["kafka_controller", "gateway"] if not is_busy(19093) else ["gateway"])
    for part in (f"Port {taken}", f"pid {os.getpid()}", "LINLI_PORT_GATEWAY", "LINLI_PORT_BASE"):
        assert part in refused.value.sentence
    assert refused.value.code == 2


def test_a_setting_changes_one_port() -> None:
    assert Ports.of({"LINLI_PORT_GATEWAY": "9000"}) == Ports(gateway=9000)


def test_the_base_moves_all_ports_but_those_that_are_set() -> None:
    moved = Ports.of({"LINLI_PORT_BASE": "1000", "LINLI_PORT_KAFKA": "5000"})
    shifted = {name: port + 1000 for name, port in Ports().named().items()}
    assert moved.named() == {**shifted, "kafka": 5000}


@pytest.mark.parametrize(
    "given", [{"LINLI_PORT_GATEWAY": "http"}, {"LINLI_PORT_GATEWAY": "70000"}, {"LINLI_PORT_BASE": "60000"}]
)
def test_what_is_no_port_is_refused_by_name(given: dict[str, str]) -> None:
    with pytest.raises(Trouble, match="LINLI_PORT_"):
        Ports.of(given)


def test_free_ports_are_all_different_and_free() -> None:
    ports = list(Ports.free().named().values())
    assert len(set(ports)) == len(ports)
    assert not any(is_busy(port) for port in ports)
