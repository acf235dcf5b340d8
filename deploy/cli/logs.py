"""`linli logs`: what the processes say."""

import os
from typing import Annotated

import typer

from deploy.cli import screen
from deploy.local import Stack, Trouble
from deploy.local.logs import follow, last_lines


def command(
    process: Annotated[str, typer.Argument(help="One process, such as requests-web; all of them if left out.")] = "",
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of the last lines.")] = 20,
    following: Annotated[bool, typer.Option("-f", "--follow", help="Follow new lines, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line, for machines.")] = False,
) -> None:
    """Show the last lines of one process, or of every process. 显示一个或全部进程的最新日志。

    Examples:  [bold]linli logs[/]  ·  [bold]linli logs requests-worker -n 100[/]  ·  [bold]linli logs gateway -f[/]

    Exit code 0: shown; 2: there is no such process.
    """
    layout = Stack.of(os.environ).layout
    known = {one.name: layout.home.log(one.name) for one in layout.processes}
    if process and process not in known:
        raise Trouble(f"There is no process {process!r}: choose one of {', '.join(known)}.")
    shown = {process: known[process]} if process else known
    show = _show_json if as_json else _show_alone if process else _show_named
    for name, log in shown.items():
        for line in last_lines(log, lines):
            show(name, line)
    if following:
        for name, line in follow(shown):
            show(name, line)


def _show_alone(_: str, line: str) -> None:
    typer.echo(line)


def _show_named(name: str, line: str) -> None:
    typer.echo(f"{name:16} {line}")


def _show_json(name: str, line: str) -> None:
    screen.print_json_line({"process": name, "line": line})
