"""Words of others are shown as they were written, whatever they look like to the screen."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.cli import parked, screen, status
from deploy.cli.parking import Found
from deploy.cli.status import Holidays
from deploy.local import EVERYTHING, Ports, Stack
from deploy.local.health import Health, ProcessHealth, flow

WORDS = "[type=missing] :warning: [/x]"


def test_the_reason_of_a_parked_event_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    one = Found("notify", "id", "copy", "e_1", ("t", 0, 1), at, WORDS, replay=False, drop=None, headers={}, value=None)
    screen.STDOUT.print(parked._table([one]), width=200)
    screen.STDOUT.print(parked._sum([one], "parked"))
    assert WORDS in capsys.readouterr().out


def test_what_a_process_says_of_itself_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    process = ProcessHealth("notify-web", "running", 1, 60, 50, ready=False, said=WORDS)
    screen.STDOUT.print(status._processes(Health("", [process], [], flow([]))), width=200)
    screen.print_red([WORDS])
    assert capsys.readouterr().out.count(WORDS) == 2


def test_what_a_service_reports_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with screen.progress() as report:
        report("members", WORDS)
    screen.STDERR.print(screen._table({"members": WORDS}, 1))
    assert capsys.readouterr().err.count(WORDS) == 2


@pytest.mark.parametrize("content", [None, "{not json", '{"covered_until": "soon"}'])
def test_holidays_that_cannot_be_read_are_one_red_phrase(tmp_path: Path, content: str | None) -> None:
    if content:
        (tmp_path / "holidays.json").write_text(content)
    found = Holidays.of(Stack(tmp_path / "home", Ports(gateway=9), EVERYTHING, {"LINLI_CITY_DATA": str(tmp_path)}))
    assert found.known_until is None
    assert [phrase.startswith(f"holidays.json in {tmp_path} cannot be used (") for phrase in found.red] == [True]
    assert "\n" not in found.red[0]
