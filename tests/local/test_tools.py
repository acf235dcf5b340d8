"""The programs of others: found where they are, named with their install command where they are not."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import Trouble, tools


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
    put(empty_path, "mongod", "true")
    assert tools.mongod() == str(empty_path / "mongod")


def test_envoy_comes_with_a_package(empty_path: Path) -> None:
    assert Path(tools.envoy()).is_file()
