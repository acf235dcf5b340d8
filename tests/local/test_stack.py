"""A stack with a real database: killed and back, moved, stopped, orphaned."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymongo import MongoClient

from deploy.local import Ports, Stack, Trouble, broker
from deploy.local.home import CHECKOUT
from deploy.local.ports import is_busy

DATABASE = frozenset({"mongo-members"})
OWNER = """
import sys, time
from pathlib import Path
from typing import Any
from deploy.local import Ports, Stack, Trouble, broker
#, Stack
stack = Stack(Path(sys.argv[1]), Ports.free(), frozenset({"mongo-members"}), lifetime="tied")
stack.up()
print(stack.pid("mongo-members"), flush=True)
time.sleep(600)
"""


@contextlib.contextmanager
def running(home: Path, ports: Ports, topology: str = "one") -> Iterator[Stack]:
    """A stack with one database of this many nodes."""
    stack = Stack(home, ports, DATABASE, {"LINLI_TOPOLOGY": topology}, "tied")
    stack.up()
    try:
        yield stack
    finally:
        stack.down()


def put(stack: Stack, name: str) -> None:
    with MongoClient[dict[str, Any]](stack.signed_in["members"]) as client:
        client.get_default_database()["kept"].insert_one({"_id": name})


def names(stack: Stack) -> list[str]:
    with MongoClient[dict[str, Any]](stack.signed_in["members"]) as client:
        return [found["_id"] for found in client.get_default_database()["kept"].find()]


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while any(psutil.pid_exists(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still there: {pids}"
        time.sleep(0.1)


def test_a_killed_database_comes_back_with_its_data(tmp_path: Path) -> None:
    with running(tmp_path, Ports.free()) as stack:
        put(stack, "before")
        killed = stack.kill("mongo-members", signal.SIGKILL)
        wait_until_gone([killed])
        stack.up()
        assert stack.pid("mongo-members") not in (0, killed)
        assert names(stack) == ["before"]


def test_a_killed_broker_answers_again(tmp_path: Path) -> None:
    stack = Stack(tmp_path, Ports.free(), frozenset({"kafka"}), lifetime="tied")
    stack.up()
    try:
        assert broker.answers(stack.kafka)
        killed = stack.kill("kafka")
        wait_until_gone([killed])
        assert not broker.answers(stack.kafka)
        stack.up()
        assert broker.answers(stack.kafka)
        assert stack.pid("kafka") != killed
    finally:
        stack.down()


def test_data_is_kept_when_the_ports_change(tmp_path: Path) -> None:
    with running(tmp_path, Ports.free()) as stack:
        put(stack, "before")
        first = stack.layout.ports
    with running(tmp_path, Ports.free()) as stack:
        assert stack.layout.ports != first
        assert names(stack) == ["before"]


def test_another_node_follows_a_primary_that_is_killed_and_has_its_data(tmp_path: Path) -> None:
    with running(tmp_path, Ports.free(), "three") as stack:
        killed = stack.primary("members")
        put(stack, "before")
        stack.kill(killed)
        put(stack, "after")
        assert stack.primary("members") not in ("", killed)
        stack.wait(killed)
        first = stack.layout.ports
    with running(tmp_path, Ports.free(), "three") as stack:
        assert stack.layout.ports != first
        assert names(stack) == ["before", "after"]


def test_down_leaves_no_process_and_no_port(tmp_path: Path) -> None:
    with running(tmp_path, Ports.free()) as stack:
        pid = stack.pid("mongo-members")
    assert not psutil.pid_exists(pid)
    assert not is_busy(stack.layout.ports.mongo_members)
    assert not stack.is_running()
    stack.down()


def test_up_again_starts_nothing_again(tmp_path: Path) -> None:
    with running(tmp_path, Ports.free()) as stack:
        pid = stack.pid("mongo-members")
        stack.up()
        assert stack.pid("mongo-members") == pid


def test_other_settings_are_refused_while_it_runs(tmp_path: Path) -> None:
    with running(tmp_path, Ports.free()), pytest.raises(Trouble, match="linli down"):
        Stack(tmp_path, Ports.free(), DATABASE).up()


def test_commands_find_the_stack_that_runs(tmp_path: Path) -> None:
    with running(tmp_path, Ports.free()) as stack:
        assert Stack.of({"LINLI_HOME": str(tmp_path)}).uris == stack.uris


def test_a_stack_ends_with_the_tests_that_own_it(tmp_path: Path) -> None:
    owning = [sys.executable, "-c", OWNER, str(tmp_path)]
    with subprocess.Popen(owning, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        database = int(owner.stdout.readline())
        supervisor = psutil.Process(database).ppid()
        os.kill(owner.pid, signal.SIGKILL)
    wait_until_gone([database, supervisor])


def test_processes_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with running(tmp_path, Ports.free()) as stack:
        database = stack.pid("mongo-members")
        os.kill(psutil.Process(database).ppid(), signal.SIGKILL)
        stack.down()
        wait_until_gone([database])
        stack.up()
        assert stack.pid("mongo-members") != database


def test_a_crash_at_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    broken = tmp_path / "data" / "mongo-members"
    broken.mkdir(parents=True)
    (broken / "storage.bson").write_text("this is no database")
    stack = Stack(tmp_path, Ports.free(), DATABASE, lifetime="tied")
    with pytest.raises(Trouble, match="mongo-members stops as soon as it is started") as raised:
        stack.up()
    assert raised.value.lines
    assert "linli logs mongo-members" in raised.value.sentence
    assert not stack.is_running()


def test_a_store_elsewhere_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        given = {"LINLI_KAFKA": f"127.0.0.1:{closed.getsockname()[1]}"}
        with pytest.raises(Trouble, match=r"No Kafka answers at 127\.0\.0\.1.*LINLI_KAFKA"):
            Stack(tmp_path, Ports.free(), frozenset({"kafka"}), given, "tied").up()
