"""`linli status`: how everything is."""

import os
from typing import Annotated

import typer
from rich.table import Table

from deploy.cli import screen
from deploy.local import Stack, health
from deploy.local.health import Health

FLOW = {
    "consumer_lag": "events not yet consumed",
    "relay_pending": "events not yet published",
    "relay_oldest_seconds": "oldest of those (s)",
    "relay_stuck": "entities set aside",
    "parked_events": "parked events",
    "cases_overdue": "cases overdue",
}


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
    if as_json:
        screen.print_json(found.to_json())
    else:
        _show(found)
    raise typer.Exit(1 if found.red else 0)


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
