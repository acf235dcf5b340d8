"""`linli status`: how everything is."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from deploy.cities.load import CityDataWrong, holidays_known_until
from deploy.cli import screen
from deploy.cli.seed import folder
from deploy.local import Stack, Trouble, health
from deploy.local.health import Health

FLOW = {
    "consumer_lag": "events not yet consumed",
    "relay_pending": "events not yet published",
    "relay_oldest_seconds": "oldest of those (s)",
    "relay_stuck": "entities set aside",
    "parked_events": "parked events",
    "cases_overdue": "cases overdue",
}
HOLIDAYS_AHEAD_DAYS = 45


def command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document, for machines.")] = False,
) -> None:
    """Show every process, whether broker and databases answer, and what flows between the services.

    Examples:  [bold]linli status[/]  ·  [bold]linli status --json | jq .red[/]

    Exit code 0: all is well; 1: something is red, or Linli does not run; 2: wrong usage.
    """
    stack = Stack.of(os.environ)
    if not stack.is_running():
        _say_stopped(as_json)
        raise typer.Exit(1)
    found = health.look(stack.layout)
    known_until = _holidays_known_until(folder(stack))
    if as_json:
        screen.print_json({**found.to_json(), "holidays_known_until": known_until.isoformat()})
    else:
        _show(found)
        _show_holidays(known_until)
    raise typer.Exit(1 if found.red else 0)


def _holidays_known_until(data: Path) -> date:
    try:
        return holidays_known_until(data)
    except CityDataWrong as error:
        raise Trouble(f"The data in {data} cannot be used: mend these.", lines=error.problems[:20]) from error


def _say_stopped(as_json: bool) -> None:  # noqa: FBT001
    if as_json:
        screen.print_json({"running": False, "red": ["Linli does not run"]})
    else:
        screen.STDERR.print("Linli does not run: start it with `linli up`.")


def _show(found: Health) -> None:
    screen.STDOUT.print(_processes(found))
    for store in found.stores:
        screen.STDOUT.print(
            f"{store.name:15} {store.address:22} {'answers' if store.reachable else '[red]does not answer[/]'}"
        )
    for name, words in FLOW.items():
        value = found.flow[name]
        screen.STDOUT.print(f"{words:24} {'not known' if value is None else f'{value:g}'}")
    screen.STDOUT.print(f"gateway {found.gateway}/")
    for phrase in found.red:
        screen.STDOUT.print(f"[red]red: {phrase}[/]")


def _show_holidays(known_until: date) -> None:
    """Due times after that day would take every holiday for a working day."""
    screen.STDOUT.print(f"holidays known until       {known_until}")
    if (known_until - datetime.now(UTC).date()).days < HOLIDAYS_AHEAD_DAYS:
        screen.STDOUT.print("[yellow]add the next year's holidays to holidays.json of the city and restart[/]")


def _processes(found: Health) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("process", "state", "pid", "up", "MiB", "ready"):
        table.add_column(title, justify="right" if title in ("pid", "up", "MiB") else "left")
    for one in found.processes:
        ready = "[green]yes[/]" if one.ready else f"[red]no[/] {one.said}"
        table.add_row(one.name, one.state, str(one.pid or ""), _clock(one.uptime_seconds), str(one.memory_mib), ready)
    return table


def _clock(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
