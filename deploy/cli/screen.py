"""What the commands print: progress on a terminal, plain lines elsewhere, troubles in one sentence."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson
from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.local.trouble import Trouble

STDERR = Console(stderr=True, highlight=False)
STDOUT = Console(highlight=False)
COLOURS = {"ready": "green", "migrated": "green", "stopped": "dim"}


@contextmanager
def progress() -> Iterator[Callable[[str, str], None]]:
    """Gives a report that shows each process and what it does now, on stderr."""
    if not STDERR.is_terminal:
        yield lambda process, state: STDERR.print(f"{process}: {state}")
        return
    began, states = time.monotonic(), dict[str, str]()
    with Live(console=STDERR, auto_refresh=False) as live:

        def report(process: str, state: str) -> None:
            states[process] = state
            live.update(_table(states, time.monotonic() - began), refresh=True)

        yield report


def print_json(content: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n")


def tell(trouble: Trouble) -> None:
    """The sentence of a trouble on stderr, the last lines of the log below it."""
    STDERR.print(f"linli: {trouble.sentence}", markup=False, soft_wrap=True)
    for line in trouble.lines:
        STDERR.print(f"  | {line}", markup=False, soft_wrap=True)


def _table(states: dict[str, str], seconds: float) -> Table:
    table = Table.grid(padding=(0, 2))
    for process, state in states.items():
        table.add_row(process, f"[{COLOURS.get(state, 'yellow')}]{state}[/]")
    table.add_row("", f"[dim]{seconds:.0f} s[/]")
    return table
