"""The command line: its help, its exit codes, and what it says where nothing runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

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
    told = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"})
    assert told.exit_code == 0
    assert f"linli {name}" in told.output


@pytest.mark.parametrize("name", COMMANDS["Running"])
def test_exit_codes_are_told(app: typer.Typer, name: str) -> None:
    assert "Exit code 0" in CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).output


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


def test_down_where_nothing_runs_is_fine(tmp_path: Path) -> None:
    assert linli(tmp_path, "down").returncode == 0


def test_unknown_words_are_wrong_usage(tmp_path: Path) -> None:
    assert linli(tmp_path, "status", "--nonsense").returncode == 2


def test_the_last_lines_of_a_log_are_shown(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "kafka.log").write_text("one\ntwo\nthree\n")
    assert linli(tmp_path, "logs", "kafka", "-n", "2").stdout == "two\nthree\n"
