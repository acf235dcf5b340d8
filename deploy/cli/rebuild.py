"""`linli rebuild`: rebuilds states from histories, after a fold has changed or a state was damaged."""

import os
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from deploy.cli import screen
from deploy.cli.asking import ask_each
from deploy.cli.screen import Json
from deploy.local import Stack, Trouble
from deploy.local.processes import SERVICES
from services.chassis.operations.protocol import RebuildRequest


def command(
    kind: Annotated[str, typer.Argument(help="Such as case, team or message.")],
    service: Annotated[str, typer.Option(help="Only in this service; otherwise wherever there is such a kind.")] = "",
    id: Annotated[str, typer.Option(help="Only this one.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this, what differs is only shown.")] = False,
    again: Annotated[bool, typer.Option("--again", help="From the start, not from where one was interrupted.")] = False,
    as_json: Json = False,
) -> None:
    """Rebuild the states of a kind from their histories, while Linli runs.
    根据历史记录重新生成某一类数据的当前状态。

    A state that differs from its history is written again: no event, no new version. An entity whose history was
    changed is reported, and never touched. The next run continues an interrupted one.

    Examples:  [bold]linli rebuild message[/]  ·  [bold]linli rebuild message --yes[/]  ·
    [bold]linli rebuild case --id case_8f3k --yes[/]

    Exit code 0: all states match their histories, were repaired, or differences were only shown; 1: a history is
    broken, and its state is left as it is; 2: there is no such kind, or it cannot run now.
    """
    stack = Stack.of(os.environ).running()
    if service and service not in SERVICES:
        raise Trouble(f"There is no service {service!r}: choose one of {', '.join(SERVICES)}.")
    request = RebuildRequest(kind=kind, id=id or None, write=yes, again=again)
    answers = _having(kind, ask_each(stack, (service,) if service else SERVICES, lambda _: request))
    if as_json:
        screen.print_json({"clean": all(answer["clean"] for answer in answers), "services": answers})
    else:
        for answer in answers:
            _show(answer)
    raise typer.Exit(0 if all(answer["clean"] for answer in answers) else 1)


def _having(kind: str, answers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers of the services that have the type; Trouble if none has."""
    if having := [answer for answer in answers if kind in answer["kinds"]]:
        return having
    known = "; ".join(f"{answer['service']}: {', '.join(answer['kinds'])}" for answer in answers)
    raise Trouble(f"There is no kind {kind!r}. Known kinds, in {known}.")


def _show(answer: dict[str, Any]) -> None:
    if answer["resumed_after"]:
        screen.STDOUT.print(
            f"continued after {answer['resumed_after']}; --again starts from the beginning", soft_wrap=True
        )
    counts = ", ".join(f"{answer[name]:,} {said}" for name, said in _COUNTS.items())
    screen.STDOUT.print(f"{answer['service']} {answer['kind']}: {counts}", soft_wrap=True)
    for line in (*answer["ids"], *answer["broken_ids"]):
        screen.STDOUT.print(f"  {line}", soft_wrap=True)
    if answer["dry_run"] and answer["differing"]:
        screen.STDOUT.print(f"{answer['differing']:,} would be written. Say --yes to do it.")


_COUNTS = {"looked_at": "checked", "differing": "differing", "mended": "repaired", "broken": "broken"}
