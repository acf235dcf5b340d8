"""The command line: its help, its exit codes, and what it says where nothing runs."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from deploy.cli.main import COMMANDS, application
from deploy.local.home import CHECKOUT

NAMES = [name for names in COMMANDS.values() for name in names]


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    return application()


def linli(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """One command, in a home where nothing runs."""
    typed = [sys.executable, "-m", "deploy.cli.main", *words]
    environment = {**os.environ, "LINLI_HOME": str(home)}
    return subprocess.run(typed, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_explains_itself_with_an_example(app: typer.Typer, name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert f"linli {name}" in result.output


def each(app: typer.Typer) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its name."""
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        for inner, one in getattr(command, "commands", {"": command}).items():
            yield f"{name} {inner}".strip(), one


def test_the_paragraphs_of_a_help_wrap_where_the_terminal_ends(app: typer.Typer) -> None:
    broken = [name for name, command in each(app) if "\n" in command.help.replace("\n\n", "")]
    assert broken == []


def test_every_command_states_its_exit_codes(app: typer.Typer) -> None:
    assert [name for name, command in each(app) if "Exit code 0" not in command.help] == []


def test_every_command_speaks_to_machines_too(app: typer.Typer) -> None:
    lacking = [name for name, command in each(app) if not any("--json" in one.opts for one in command.params)]
    assert lacking == []


def test_every_command_says_in_chinese_too_what_it_does(app: typer.Typer) -> None:
    beginnings = {name: command.help.split("\n\n")[0] for name, command in each(app)}
    beginnings["linli"] = typer.main.get_command(app).help or ""
    assert [name for name, said in beginnings.items() if not re.search("[\u4e00-\u9fff].*。$", said)] == []


def test_status_of_what_does_not_run_is_red(tmp_path: Path) -> None:
    said = linli(tmp_path, "status")
    assert said.returncode == 1
    assert "linli up" in said.stderr
    assert json.loads(linli(tmp_path, "status", "--json").stdout)["running"] is False


def test_a_trouble_is_one_sentence(tmp_path: Path) -> None:
    said = linli(tmp_path, "logs", "kafak")
    assert said.returncode == 2
    assert said.stderr.startswith("linli: There is no process 'kafak': choose one of kafka,")
    assert "Traceback" not in said.stderr


def test_a_home_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = linli(tmp_path / "file", "down")
    assert said.returncode == 2
    assert said.stderr.startswith(f"linli: {tmp_path}/file/run cannot be written (Not a directory)")
    assert "LINLI_HOME" in said.stderr


def test_what_the_system_says_of_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "logs" / "kafka.log").mkdir(parents=True)
    said = linli(tmp_path, "logs", "kafka")
    assert (said.returncode, said.stderr) == (2, f"linli: {tmp_path}/logs/kafka.log: Is a directory.\n")


def test_down_where_nothing_runs_is_fine(tmp_path: Path) -> None:
    said = linli(tmp_path, "down", "--json")
    assert said.returncode == 0
    assert json.loads(said.stdout).keys() == {"running", "gateway", "seconds", "processes"}


def test_where_there_are_no_messages_it_says_so(tmp_path: Path) -> None:
    assert "No messages to 13800138001 yet." in linli(tmp_path, "sms", "--phone", "13800138001").stderr
    assert linli(tmp_path, "sms", "--json").stderr == ""
    wrong = linli(tmp_path, "sms", "--phone", "1")
    assert (wrong.returncode, "11 digits" in wrong.stderr) == (2, True)


def test_unknown_words_are_wrong_usage(tmp_path: Path) -> None:
    assert linli(tmp_path, "status", "--nonsense").returncode == 2


def test_the_last_lines_of_a_log_are_shown(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "kafka.log").write_text("one\ntwo\nthree\n")
    assert linli(tmp_path, "logs", "kafka", "-n", "2").stdout == "two\nthree\n"
    lines = linli(tmp_path, "logs", "-n", "1", "--json").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [{"process": "kafka", "line": "three"}]
