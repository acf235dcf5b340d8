"""`linli logs`: what the processes say."""

import os
from typing import Annotated

import typer

from deploy.local import Stack, Trouble
from deploy.local.logs import follow, last_lines


def command(
    process: Annotated[str, typer.Argument(help="One process, such as requests-web; all of them if left out.")] = "",
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of the last lines.")] = 20,
    following: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes, until Ctrl-C.")] = False,
) -> None:
    """Show the last lines of one process, or of every process.

    Examples:  [bold]linli logs[/]  ·  [bold]linli logs requests-worker -n 100[/]  ·  [bold]linli logs gateway -f[/]

    Exit code 0: shown; 2: there is no such process.
    """
    layout = Stack.of(os.environ).layout
    known = {one.name: layout.home.log(one.name) for one in layout.processes}
    if process and process not in known:
        raise Trouble(f"There is no process {process!r}: choose one of {', '.join(known)}.")
    shown = {process: known[process]} if process else known
    for name, log in shown.items():
        for line in last_lines(log, lines):
            _print(process, name, line)
    if following:
        for name, line in follow(shown):
            _print(process, name, line)


def _print(chosen: str, name: str, line: str) -> None:
    typer.echo(line if chosen else f"{name:15} {line}")
