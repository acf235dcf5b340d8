"""`linli verify`: whether every promise was kept, counted again from the databases and topics."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table
from rich.text import Text

from deploy.cli import screen
from deploy.cli.screen import Json
from deploy.local import Stack, Trouble
from deploy.local.processes import SERVICES
from services.chassis.ledger.commands import LogUnreadable, each

CLEAN, BROKEN = 0, 1


def command(
    ledger: Annotated[
        Path | None, typer.Option(help="A log of commands, as `linli replay` writes it: also checks L1 and L2.")
    ] = None,
    within: Annotated[float, typer.Option(min=0, help="Seconds in which everything written must arrive.")] = 60,
    as_json: Json = False,
) -> None:
    """Check that nothing was lost, doubled, reordered or changed, while Linli runs and others write.
    在运行中核对所有数据没有丢失、重复、乱序或被改动。

    Each service is checked against its own database and the topics, as of now: L3 and L4 its histories, L5 and L6
    what it published, L7 what it was told, L8 that each cause had its effect once, L9 that all arrives in time.

    Examples:  [bold]linli verify[/]  ·  [bold]linli verify --ledger replay.jsonl[/]  ·  [bold]linli verify --json[/]

    Exit code 0: every promise was kept; 1: one was broken, its line says which; 2: it cannot be told now.
    """
    stack = Stack.of(os.environ).running()
    lines = _lines(stack, ledger, within)
    clean = not any(line["breaches"] for line in lines)
    if as_json:
        screen.print_json({"clean": clean, "lines": lines})
    else:
        _show(lines)
    raise typer.Exit(CLEAN if clean else BROKEN)


def _lines(stack: Stack, ledger: Path | None, within: float) -> list[dict[str, Any]]:
    """All lines of all services; these are asked at the same time."""
    words = ["--json", "--within", str(within), *(("--ledger", str(ledger.absolute())) if ledger else ())]
    with screen.progress() as report, ThreadPoolExecutor(len(SERVICES)) as at_once:
        asked = [at_once.submit(_ask, stack, service, words, report) for service in SERVICES]
        reports = [one.result() for one in asked]
    lines = [{"service": report["service"], **line} for report in reports for line in report["lines"]]
    return lines + ([_answered_by_nobody(ledger, lines)] if ledger else [])


def _ask(stack: Stack, service: str, words: Sequence[str], report: Callable[[str, str], None]) -> dict[str, Any]:
    """The report of one service; Trouble where it cannot be had."""
    shown = ("--progress",) if screen.STDERR.is_terminal else ()
    address = ("--worker", stack.layout.address(f"{service}-worker"))
    ask = (sys.executable, "-m", f"services.{service}", "verify", *words, *address, *shown)
    settings = {**os.environ, **stack.environment(service, "verify")}
    with tempfile.TemporaryFile() as answer:
        with subprocess.Popen(ask, stdout=answer, stderr=subprocess.PIPE, env=settings, text=True) as process:
            said = [_passed_on(service, line, report) for line in process.stderr or ()]
        if process.returncode not in (CLEAN, BROKEN):
            raise Trouble(
                f"{service} cannot be verified now: mend what its last lines say, then repeat.", lines=tuple(said[-5:])
            )
        answer.seek(0)
        found: dict[str, Any] = orjson.loads(answer.read())
    if shown:
        report(service, "verified")
    return found


def _passed_on(service: str, line: str, report: Callable[[str, str], None]) -> str:
    if screen.STDERR.is_terminal:
        report(service, line.rstrip())
    return line.rstrip()


def _answered_by_nobody(ledger: Path, lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The accepted commands of the log that lead to no route of any service: they cannot be in a history."""
    try:
        accepted = {line.cause for line in each(ledger) if line.outcome == "ok"}
    except LogUnreadable as error:
        raise Trouble(str(error)) from error
    judged = sum(line["counts"].get("accepted", 0) for line in lines if line["check"] == "L1")
    about = "accepted commands that no service knows"
    found = {"service": "all", "check": "L1", "title": about, "about": "", "counts": {"accepted": len(accepted)}}
    return {**found, "breaches": len(accepted) - judged, "examples": []}


def _show(lines: Sequence[dict[str, Any]]) -> None:
    if not screen.STDOUT.is_terminal:
        for line in lines:
            typer.echo(f"{line['service']} {line['check']} {_what(line)}: {_counts(line)}, {line['breaches']} breaches")
    else:
        screen.STDOUT.print(_table(lines))
    for line in lines:
        for example in line["examples"]:
            screen.STDOUT.print(f"{line['service']} {line['check']} {example}", soft_wrap=True)


def _table(lines: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("service", "", "promise", "counts", "breaches"):
        table.add_column(title, justify="right" if title == "breaches" else "left")
    for line in lines:
        breaches = Text(str(line["breaches"]), style="red" if line["breaches"] else "green")
        table.add_row(line["service"], line["check"], _what(line), _counts(line), breaches)
    return table


def _what(line: dict[str, Any]) -> str:
    return f"{line['title']} ({line['about']})" if line["about"] else str(line["title"])


def _counts(line: dict[str, Any]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in line["counts"].items()) or "nothing to check"
