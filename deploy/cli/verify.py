"""`linli verify`: whether every promise was kept, counted again from the databases and topics."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli import lines as reported
from deploy.cli.asking import ask_each
from deploy.cli.screen import Json
from deploy.local import Stack, Trouble
from deploy.local.processes import SERVICES
from services.chassis.operations.ledger.commands import LogUnreadable, each
from services.chassis.operations.protocol import VerifyRequest


def command(
    ledger: Annotated[
        Path | None, typer.Option(help="A log of commands, as `make replay` writes it: also checks L1 and L2.")
    ] = None,
    within: Annotated[float, typer.Option(min=0, help="Seconds in which everything written must arrive.")] = 60,
    as_json: Json = False,
) -> None:
    """Check that nothing was lost, duplicated, reordered or changed, while Linli runs and others write.
    在运行中核对所有数据没有丢失、重复、乱序或被改动。

    Each service is checked against its own database and the topics, as of now: L3 and L4 its histories, L5 and L6
    what it published, L7 what it received, L8 that each cause had its effect once, L9 that all arrives in time.

    Examples:  [bold]linli verify[/]  ·  [bold]linli verify --ledger replay.jsonl[/]  ·  [bold]linli verify --json[/]

    Exit code 0: every promise was kept; 1: one was broken, its line says which; 2: the check could not run.
    """
    stack = Stack.of(os.environ).running()
    reported.conclude(_lines(stack, ledger, within), as_json=as_json)


def _lines(stack: Stack, ledger: Path | None, within: float) -> list[dict[str, Any]]:
    """All lines of all services; these are asked at the same time."""
    log = ledger.absolute() if ledger else None

    def request(service: str) -> VerifyRequest:
        workers = tuple(stack.layout.address(worker.name) for worker in stack.layout.several(service, "worker"))
        return VerifyRequest(log=log, workers=workers, within=within)

    lines = reported.of(ask_each(stack, SERVICES, request))
    return lines + ([_answered_by_nobody(ledger, lines)] if ledger else [])


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
