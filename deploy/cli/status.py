"""`linli status`: the state of everything."""

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from deploy.cities.load import CityDataWrong
from deploy.cli import screen
from deploy.cli.city.calendar import covered_until
from deploy.cli.screen import Json
from deploy.local import Stack, health
from deploy.local.health import Health
from deploy.local.waiting import LONGEST_REASON

FLOW = {
    "consumer_lag": "events not yet consumed",
    "relay_pending": "events not yet published",
    "relay_oldest_seconds": "oldest of those (s)",
    "relay_stuck": "entities whose events cannot be sent",
    "parked_events": "parked events",
    "consumers_at_rest": "paused consumers",
    "reactions_off": "reactions that are off",
    "cases_overdue": "cases overdue",
}
UNKNOWN = {
    "cases_overdue": "not counted yet: the first count comes within 15 s of a start of requests-worker",
    "consumer_lag": "not known: no worker reports it, or Kafka does not answer",
}
HOLIDAYS_AHEAD_DAYS = 45


def command(
    as_json: Json = False,
) -> None:
    """Show every process, whether broker and databases answer, and what flows between the services.
    显示每个进程、消息系统和数据库是否应答，以及服务之间的流量。

    Examples:  [bold]linli status[/]  ·  [bold]linli status --json | jq .red[/]

    Exit code 0: all is well; 1: something is red, or Linli does not run; 2: wrong usage.
    """
    stack = Stack.of(os.environ)
    if not stack.is_running():
        stopped = _stopped_json if as_json else _show_stopped
        stopped()
        raise typer.Exit(1)
    found, holidays = health.look(stack.layout), Holidays.of(stack)
    red = found.red + holidays.red
    if as_json:
        screen.print_json({**found.to_json(), "red": red, "holidays_known_until": holidays.known_until})
    else:
        _show(found)
        _show_holidays(holidays, stack.city_data / "holidays.json")
        screen.print_red(f"red: {phrase}" for phrase in red)
    raise typer.Exit(1 if red else 0)


@dataclass(frozen=True)
class Holidays:
    """Until when the city's holidays are known, and by what; None, and what is red, where its data cannot be used."""

    known_until: date | None
    by: str
    red: list[str]

    @classmethod
    def of(cls, stack: Stack) -> "Holidays":
        """As the running city says, or its folder where it does not answer."""
        try:
            return cls(*covered_until(stack), [])
        except (CityDataWrong, ValueError) as error:
            why = " ".join(str(error).split())[:LONGEST_REASON]
            return cls(None, "", [f"holidays.json in {stack.city_data} cannot be used ({why})"])


def _stopped_json() -> None:
    screen.print_json({"running": False, "red": ["Linli does not run"]})


def _show_stopped() -> None:
    screen.STDERR.print("Linli does not run: start it with `linli up`.")


def _show(found: Health) -> None:
    screen.STDOUT.print(_processes(found))
    for store in found.stores:
        said = Text(store.said, style="" if store.reachable else "red")
        screen.STDOUT.print(f"{store.name:15} {store.address:22}", said, soft_wrap=True)
    for name, words in FLOW.items():
        value = found.flow[name]
        unknown = UNKNOWN.get(name, "not known: no worker reports it")
        screen.STDOUT.print(f"{words:24} {unknown if value is None else f'{round(value, 1):g}'}", soft_wrap=True)
    for one in found.processes:
        if one.restarted:
            screen.STDOUT.print(f"{one.name} was {one.restarted}", soft_wrap=True)
    screen.STDOUT.print(f"gateway {found.gateway}/")


def _show_holidays(holidays: Holidays, file: Path) -> None:
    """Due times after that day would take every holiday for a working day."""
    until = holidays.known_until
    said = f"{until} (by {holidays.by})" if until else "not known"
    screen.STDOUT.print(f"{'holidays known until':24} {said}", soft_wrap=True)
    if until and (until - datetime.now(UTC).date()).days < HOLIDAYS_AHEAD_DAYS:
        advice = f"add the next year's holidays to {file} and run `linli seed`"
        screen.STDOUT.print(Text(advice, style="yellow"), soft_wrap=True)


def _processes(found: Health) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("process", "state", "pid", "up", "MiB", "ready"):
        table.add_column(title, justify="right" if title in ("pid", "up", "MiB") else "left")
    for one in found.processes:
        ready = Text.assemble(("yes", "green") if one.ready else ("no", "red"), f" {one.said or one.role}")
        table.add_row(one.name, one.state, str(one.pid or ""), _clock(one.uptime_seconds), str(one.memory_mib), ready)
    return table


def _clock(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
