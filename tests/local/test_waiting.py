"""Asking a process how it is: one look, bounded in time, that changes nothing and survives every answer."""

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.local import Home, Ports, databases, health, supervision, waiting
from deploy.local.databases import NOT_YET_INITIALIZED
from deploy.local.layout import Layout
from deploy.local.supervision import Seen

FROZEN = frozenset({"requests-web", "requests-worker", "mongo-requests", "gateway"})


@contextlib.contextmanager
def listening(*ports: int) -> Iterator[list[socket.socket]]:
    """Sockets that take connections and never say a word."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(socket.create_server(("127.0.0.1", port))) for port in ports]


@contextlib.contextmanager
def saying(words: bytes) -> Iterator[str]:
    """The address of something that answers one connection, with these words."""
    with listening(0) as (server,):

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(words)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    "words", [b"220 mail.example ESMTP\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b""]
)
def test_what_does_not_speak_http_is_no_answer(words: bytes) -> None:
    with saying(words) as address:
        status, said = waiting.get(address, 1)
    assert status == 0
    assert said.startswith("no answer: ")


def test_an_error_is_an_answer() -> None:
    with saying(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy") as address:
        assert waiting.get(address, 1) == (503, "busy")


def test_processes_that_never_answer_do_not_hold_up_the_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout(Home(tmp_path), Ports.free(), FROZEN)
    ports = [layout.ports.named()[process.ports[-1]] for process in layout.processes]
    monkeypatch.setattr(supervision, "seen", lambda home: {name: Seen("RUNNING", 1, 0) for name in FROZEN})
    with listening(*ports):
        found = health.look(layout)
    assert {process.name for process in found.processes if not process.ready} == FROZEN
    assert {process.name for process in found.processes if "no answer" in process.said} >= {"requests-web"}


def test_asking_for_the_primary_makes_none(tmp_path: Path) -> None:
    port = Ports.free().mongo_members
    address = f"127.0.0.1:{port}"
    running = databases.command("members", tmp_path / "data", port, cache_mib=64)
    with subprocess.Popen(running, stdout=subprocess.DEVNULL) as mongod:
        try:
            wait(lambda: configuration(address) == NOT_YET_INITIALIZED)
            assert databases.role(address) == ""
            assert configuration(address) == NOT_YET_INITIALIZED
            databases.set_up("members", [address])
            wait(lambda: databases.role(address) == "primary")
        finally:
            mongod.terminate()


def configuration(address: str) -> object:
    """The configuration of the replica set, or the code of the error that says why there is none."""
    with MongoClient[dict[str, Any]](f"mongodb://{address}", directConnection=True) as client:
        try:
            return client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as failure:
            return failure.code


def wait(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.1)
