"""What the commands print: progress on a terminal, plain lines elsewhere, troubles in one sentence."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.local.trouble import Trouble

# Words of others (a reason, a refusal, a path) are shown as they are: what is styled is a Text, or says markup=True.
# Where nobody sees it, nothing is broken to fit: ids are to be found by grep.
_WIDE = None if sys.stdout.isatty() else 240
STDERR = Console(stderr=True, highlight=False, markup=False, emoji=False)
STDOUT = Console(highlight=False, markup=False, emoji=False, width=_WIDE)
Json = Annotated[bool, typer.Option("--json", help="One JSON document, for machines.")]
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


def print_json_line(content: object) -> None:
    """One JSON document on a line of its own, seen at once, as one of many on stdout."""
    sys.stdout.write(orjson.dumps(content).decode() + "\n")
    sys.stdout.flush()


def print_red(phrases: Iterable[str]) -> None:
    """Each phrase in red, on a line of its own."""
    for phrase in phrases:
        STDOUT.print(Text(phrase, style="red"), soft_wrap=True)


def tell(trouble: Trouble) -> None:
    """The sentence of a trouble on stderr, the last lines of the log below it."""
    STDERR.print(f"linli: {trouble.sentence}", soft_wrap=True)
    for line in trouble.lines:
        STDERR.print(f"  | {line}", soft_wrap=True)


def _table(states: dict[str, str], seconds: float) -> Table:
    table = Table.grid(padding=(0, 2))
    for process, state in states.items():
        table.add_row(process, Text(state, style=COLOURS.get(state, "yellow")))
    table.add_row("", Text(f"{seconds:.0f} s", style="dim"))
    return table
