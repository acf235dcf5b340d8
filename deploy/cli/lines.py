"""Check results by service, as `linli verify` and `linli audit` show them."""

from collections.abc import Sequence
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from deploy.cli import screen
from deploy.cli.asking import BROKEN, CLEAN


def of(reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The check results of these reports, each with its service."""
    return [{"service": report["service"], **line} for report in reports for line in report["lines"]]


def conclude(lines: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """Show them, and exit with 0 without a breach, else with 1."""
    clean = not any(line["breaches"] for line in lines)
    if as_json:
        screen.print_json({"clean": clean, "lines": lines})
    else:
        _show(lines)
    raise typer.Exit(CLEAN if clean else BROKEN)


def _show(lines: Sequence[dict[str, Any]]) -> None:
    if not screen.STDOUT.is_terminal:
        for line in lines:
            typer.echo(f"{line['service']} {line['check']} {_what(line)}: {_counts(line)}, {line['breaches']} breaches")
    else:
        screen.STDOUT.print(_table(lines))
    for line in lines:
        for example in line["examples"]:
            screen.STDOUT.print(f"{line['service']} {line['check']} {example}", soft_wrap=True)
    screen.STDOUT.print(_sum(lines), soft_wrap=True)


def _sum(lines: Sequence[dict[str, Any]]) -> Text:
    broken = list(dict.fromkeys(f"{line['service']} {line['check']}" for line in lines if line["breaches"]))
    if not broken:
        return Text("Every promise was kept.", style="green")
    promises = "1 promise is" if len(broken) == 1 else f"{len(broken)} promises are"
    return Text(f"{promises} broken: {', '.join(broken)}.", style="red")


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
