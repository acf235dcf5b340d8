"""What the commands say to somebody who is here for the first time."""

import os
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer

from deploy.cli import demo, lines, status, token
from deploy.cli.city import credentials
from deploy.cli.city.client import Gateway
from deploy.cli.city.credentials import Account, Credentials, Resident
from deploy.cli.status import Holidays
from deploy.local import Ports, Stack, Trouble
from deploy.local.health import Health, ProcessHealth, flow


def line(service: str, check: str, breaches: int) -> dict[str, Any]:
    return {
        "service": service, "check": check, "title": "a promise", "about": "", "counts": {}, "breaches": breaches,
        "examples": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("breaches", "code", "said"),
    [
        ((0, 0), 0, "Every promise was kept."),
        ((0, 2), 1, "1 promise is broken: notify L8."),
        ((1, 1), 1, "2 promises are broken: requests L3, notify L8."),
    ],
)
def test_a_report_ends_with_what_it_comes_to(
    capsys: pytest.CaptureFixture[str], breaches: tuple[int, int], code: int, said: str
) -> None:
    found = [line("requests", "L3", breaches[0]), line("notify", "L8", breaches[1]), line("notify", "L8", breaches[1])]
    with pytest.raises(typer.Exit) as ended:
        lines.conclude(found, as_json=False)
    assert (ended.value.exit_code, capsys.readouterr().out.splitlines()[-1]) == (code, said)


def test_a_timeline_is_reported_by_the_clocks_of_the_city(capsys: pytest.CaptureFixture[str]) -> None:
    entry = {"at": "2026-11-23T16:30:00Z", "name": {"zh": "接单", "en": "accepted"}}
    demo._show_timeline([entry], ZoneInfo("Asia/Shanghai"))
    assert "2026-11-24 00:30:00  接单 / accepted" in capsys.readouterr().out


def test_a_command_is_named_as_it_can_be_typed_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "python").touch()
    command = tmp_path / "linli"
    command.touch(mode=0o700)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.chdir(tmp_path.parent)
    assert demo.typed() == f"{tmp_path.name}/linli"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert demo.typed() == "linli"


KNOWN = Credentials(
    city="trial",
    accounts=tuple(
        Account(login=login, password="p", totp_secret="S", roles=(role,), places=("1507",))
        for login, role in (("supervisor", "supervisor"), ("stations-1", "handler"), ("stations-2", "handler"))
    ),
    resident=Resident(phone="13800138000", area="150702001001"),
)


def test_for_each_role_the_account_of_the_widest_place_is_named() -> None:
    narrow = KNOWN.accounts[0].model_copy(update={"login": "a-supervisor", "places": ("150702",)})
    known = KNOWN.model_copy(update={"accounts": (narrow, *KNOWN.accounts)})
    assert known.by_role() == {"supervisor": "supervisor", "handler": "stations-1", "resident": "13800138000"}


async def test_whom_nobody_knows_is_answered_with_those_whom_one_may_mean(tmp_path: Path) -> None:
    stack = Stack(tmp_path, Ports())
    credentials.write(stack.home, KNOWN)
    async with Gateway("http://127.0.0.1:9") as gateway:
        with pytest.raises(Trouble, match="'station-2': try stations-2, stations-1, supervisor, 13800138000;"):
            token._bearer(stack, gateway, "station-2")


def test_status_says_why_something_is_not_known_and_what_was_started_again(capsys: pytest.CaptureFixture[str]) -> None:
    again = "started again once, last at 2026-11-23 23:53:18: terminated by SIGKILL"
    process = ProcessHealth("notify-web", "running", 1, 60, 50, ready=True, said="", restarted=again)
    status._show(Health("", [process], [], flow([])))
    status._show_holidays(Holidays(date(2026, 1, 1), "the city's calendar", []), Path("city/holidays.json"))
    result = capsys.readouterr().out
    assert f"notify-web was {again}" in result
    assert "not counted yet: the first count comes within 15 s" in result
    assert "add the next year's holidays to city/holidays.json" in result
