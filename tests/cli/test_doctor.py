"""`linli doctor` on this machine: each thing that is broken is a line of its own, and says what to do."""

import importlib.metadata
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli.examining import city, machine, services
from deploy.cli.main import application
from deploy.local import EVERYTHING, Ports, Stack, Trouble, tools
from services.chassis.operations.doctor.findings import Finding
from tests.conftest import CITY_DATA


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack that does not run, in a home of its own."""
    made = Stack(tmp_path / "home", Ports(), EVERYTHING, {"LINLI_CITY_DATA": str(CITY_DATA)})
    made.home.make()
    return made


def only(found: list[Finding]) -> tuple[str, str, str]:
    """Level, what was said and what to do, of the one finding."""
    (one,) = found
    return one.level, one.said, one.advice


def test_where_nothing_runs_this_machine_is_looked_at_all_the_same(tmp_path: Path) -> None:
    result = CliRunner().invoke(application(), ["doctor", "--json"], env={"LINLI_HOME": str(tmp_path)})
    assert result.exit_code == 2
    lines = json.loads(result.stdout)["lines"]
    assert {line["check"] for line in lines} >= {"packages", "programs", "settings", "disk", "files", "calendar"}
    assert [line["advice"] for line in lines if line["check"] == "processes"] == ["linli up"]


def test_packages_that_are_not_as_locked_are_named(tmp_path: Path) -> None:
    assert only(machine.packages())[0] == "ok"
    here = importlib.metadata.version("orjson")
    (tmp_path / "dev.lock").write_text("orjson==0.0.1 \\\n    --hash=sha256:00\nno-such==1.0\nruff-extra==9\n")
    (tmp_path / "runtime.in").write_text("orjson\nno_such>=1\n")
    level, said, _ = only(machine.packages(tmp_path))
    assert (level, said) == ("wrong", f"orjson {here}, locked 0.0.1; no-such is missing")
    assert only(machine.packages(tmp_path / "nowhere"))[0] == "ok"


def test_a_program_that_is_missing_is_a_line_and_no_trouble(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise Trouble("java is not there.")

    monkeypatch.setattr(tools, "java", missing)
    wrong = [one.said for one in machine.programs(stack) if one.level == "wrong"]
    assert wrong == ["java is not there."]


def test_a_setting_that_nobody_reads_is_named() -> None:
    known = {
        "LINLI_HOME": "x",
        "LINLI_PORT_GATEWAY": "1",
        "LINLI_HISTORY_CAP": "5",
        "LINLI_TOPOLOGY": "one",
        "LINLI_WEB": "1",
        "LINLI_WORKERS": "1",
        "LINLI_DATABASE_CACHE": "256",
        "LINLI_MONGO_NOTIFY": "x",
        "LINLI_SMTP_USER": "x",
        "LINLI_TOKEN_KEYS": "x",
        "PATH": "",
    }
    read = services.settings()
    assert only(machine.settings(known, read))[0] == "ok"
    assert "LINLI_HISTROY_CAP" in only(machine.settings({**known, "LINLI_HISTROY_CAP": "5"}, read))[1]


def test_secrets_that_others_can_enter_are_named(stack: Stack) -> None:
    assert only(machine.files(stack))[0] == "ok"
    stack.home.secrets.chmod(0o755)
    (stack.home.root / "credentials.json").touch(mode=0o640)
    said = [one.advice for one in machine.files(stack)]
    assert said == [f"chmod go= {stack.home.secrets}", f"chmod go= {stack.home.root / 'credentials.json'}"]


def test_a_disk_that_is_nearly_full_is_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "FREE_SOON_BYTES", 2**60)
    assert only(machine.disk(stack))[0] == "soon"
    monkeypatch.setattr(machine, "LEAST_FREE_BYTES", 2**60)
    assert only(machine.disk(stack))[0] == "wrong"
    monkeypatch.setattr(machine, "LEAST_FREE_NODES", 2.0)
    assert "more files fit on the disk" in only(machine.disk(stack))[1]


def calendar_until(folder: Path, days: int) -> Stack:
    """A stack whose city knows its holidays for this many days to come."""
    data: dict[str, Any] = json.loads((CITY_DATA / "holidays.json").read_text())
    until = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
    data |= {"covered_from": "2020-01-01", "covered_until": until, "holidays": [], "working_days": []}
    (folder / "holidays.json").write_text(json.dumps(data))
    return Stack(folder / "home", Ports(gateway=9), EVERYTHING, {"LINLI_CITY_DATA": str(folder)})


@pytest.mark.parametrize(("days", "level"), [(400, "ok"), (30, "soon"), (-3, "wrong")])
def test_holidays_that_end_are_reported_in_time(tmp_path: Path, days: int, level: str) -> None:
    found = {one.check: one for one in city.holidays(calendar_until(tmp_path, days))}
    assert (found["time zone"].said, found["calendar"].level) == ("Asia/Shanghai", level)


def test_holidays_that_cannot_be_read_are_a_line(tmp_path: Path) -> None:
    (tmp_path / "holidays.json").write_text("{")
    level, said, _ = only(
        city.holidays(Stack(tmp_path, Ports(gateway=9), EVERYTHING, {"LINLI_CITY_DATA": str(tmp_path)}))
    )
    assert (level, "cannot be used" in said) == ("wrong", True)


def test_words_of_danger_that_cannot_be_read_are_a_line(tmp_path: Path, stack: Stack) -> None:
    assert only(city.dangers(stack))[0] == "ok"
    (tmp_path / "dangers.json").write_text('{"source": "x"}')
    broken = Stack(tmp_path, Ports(gateway=9), EVERYTHING, {"LINLI_CITY_DATA": str(tmp_path)})
    level, said, _ = only(city.dangers(broken))
    assert (level, "kinds: Field required" in said) == ("wrong", True)


def test_what_is_said_in_clear_over_a_network_is_named(stack: Stack, tmp_path: Path) -> None:
    assert only(city.encryption(stack))[0] == "ok"
    given = {"LINLI_KAFKA": "10.0.0.7:9092", "LINLI_MONGO_NOTIFY": "mongodb://db.city:27017/notify?tls=true"}
    level, said, _ = only(city.encryption(Stack(tmp_path, Ports(), EVERYTHING, given)))
    assert (level, said) == ("soon", "unencrypted: 10.0.0.7")


def test_a_service_whose_settings_are_wrong_is_one_line(stack: Stack, tmp_path: Path) -> None:
    wrong = Stack(tmp_path / "home", Ports(), EVERYTHING, {"LINLI_HISTORY_CAP": "few"})
    (line,) = services.examine(wrong, "requests")
    assert (line["where"], line["check"], line["level"]) == ("requests", "settings", "wrong")
    assert "LINLI_HISTORY_CAP" in line["said"]


def test_a_service_that_does_not_answer_in_time_is_one_line(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SECONDS", 0.01)
    (line,) = services.examine(stack, "requests")
    assert line["said"] == "did not answer within 0.01 s"
