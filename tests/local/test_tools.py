"""The programs of others: found where they are, named with their install command where they are not."""

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import STORES, Ports, Stack, Trouble, broker, tools
from deploy.local.home import CHECKOUT


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what a test puts there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def put(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(stat.S_IRWXU)


@pytest.mark.parametrize(("tool", "package"), [(tools.java, "openjdk-17-jre-headless"), (tools.mvn, "maven")])
def test_a_missing_tool_is_named_with_the_command_that_installs_it(
    empty_path: Path, tool: Callable[[], str], package: str
) -> None:
    with pytest.raises(Trouble, match=f"apt-get install {package}"):
        tool()


def test_an_old_java_is_refused(empty_path: Path) -> None:
    put(empty_path, "java", "echo 'openjdk version \"11.0.2\"' >&2")
    with pytest.raises(Trouble, match="too old"):
        tools.java()


def test_a_newer_java_is_fine(empty_path: Path) -> None:
    put(empty_path, "java", "echo 'openjdk version \"21.0.2\"' >&2")
    assert tools.java() == str(empty_path / "java")


def test_a_mongod_on_the_path_comes_first(empty_path: Path) -> None:
    assert Path(tools.mongod()).name == "mongod"
    put(empty_path, "mongod", "echo db version v8.0.1")
    assert tools.mongod() == str(empty_path / "mongod")


def test_an_old_mongod_is_refused(empty_path: Path) -> None:
    put(empty_path, "mongod", "echo db version v4.4.29")
    with pytest.raises(Trouble, match="too old: install MongoDB 6 or later"):
        tools.mongod()


def test_a_mongod_that_lacks_a_library_is_reported_with_its_last_words(empty_path: Path) -> None:
    words = "error while loading shared libraries: libcurl.so.4: cannot open shared object file"
    put(empty_path, "mongod", f"echo '{words}' >&2; exit 127")
    with pytest.raises(Trouble, match="apt-get install libcurl4") as raised:
        tools.mongod()
    assert raised.value.lines == (words,)


def test_a_program_that_cannot_be_used_is_named_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "mongod", "echo db version v4.4.29")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(broker, "fetch", lambda: pytest.fail("Kafka was fetched"))
    with pytest.raises(Trouble, match="too old"):
        Stack(tmp_path / "home", Ports.free(), STORES).up()


def test_kafka_is_fetched_from_a_repository_that_is_away_for_a_moment(
    empty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "FETCH_AGAIN_AFTER", (0.0, 0.0))
    monkeypatch.setattr(broker, "TOOLS", empty_path)
    monkeypatch.setattr(broker, "LIBS", empty_path / "kafka-libs")
    tries, cannot = empty_path / "tries", "echo 'the repository is away'; exit 1"
    into = 'for word; do case "$word" in -DoutputDirectory=*) /bin/mkdir "${word#*=}";; esac; done'
    put(empty_path, "mvn", f"echo try >> {tries}; {cannot}")
    with pytest.raises(Trouble, match="could not fetch Kafka") as raised:
        broker.fetch()
    assert (tries.read_text().count("try"), raised.value.lines) == (3, ("the repository is away",))
    put(empty_path, "mvn", f"[ -e {tries}2 ] || {{ echo > {tries}2; {cannot}; }}; {into}")
    broker.fetch()
    assert (empty_path / "kafka-libs" / "complete").exists()


def test_make_names_everything_that_is_missing_at_once(tmp_path: Path) -> None:
    put(tmp_path, "python", 'case "$2" in *libcurl*) exit 1;; *ensurepip*) exit 1;; *) exit 0;; esac')
    asked = ["make", "-s", "-C", str(CHECKOUT), "tools", f"PYTHON={tmp_path / 'python'}"]
    raised = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert raised.returncode == 2
    assert "apt-get install python3-venv libcurl4" in raised.stderr


def test_envoy_comes_with_a_package(empty_path: Path) -> None:
    assert Path(tools.envoy()).is_file()
