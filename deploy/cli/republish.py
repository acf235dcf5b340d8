"""`linli republish`: sends published events again from the histories, for example after a topic was lost."""

import os
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from deploy.cli import screen
from deploy.cli.asking import ask_each
from deploy.cli.auditing import chosen, instant
from deploy.cli.screen import Json
from deploy.local import Stack, Trouble
from deploy.local.processes import SERVICES
from services.chassis.operations.protocol import RepublishRequest


def command(
    service: Annotated[str, typer.Option(help="Only from this service.")] = "",
    entity: Annotated[str, typer.Option(help="Only the events of this entity, by its id.")] = "",
    kind: Annotated[str, typer.Option(help="Only the events of one kind, such as case or team.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Everything.")] = False,
    since: Annotated[str, typer.Option(help="Only what was recorded from then on, as 2026-11-24T08:00.")] = "",
    until: Annotated[str, typer.Option(help="Only what was recorded before then.")] = "",
    lost: Annotated[
        bool, typer.Option("--lost", help="The topic was lost: create it, and send all earlier events first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")] = False,
    as_json: Json = False,
) -> None:
    """Send published events again from the histories, in order, while Linli runs.
    根据历史记录按顺序重新发送已发布的事件，可在运行中执行。

    No event has its effect twice: consumers skip what they have processed. Private events are never sent. After a
    topic was lost, --lost creates it again and holds new events back until all earlier ones are sent; after an
    interrupted run they wait two more minutes for the next run.

    Examples:  [bold]linli republish --entity case_8f3k[/]  ·  [bold]linli republish --kind team --yes[/]  ·
    [bold]linli republish --service requests --all --lost --yes[/]

    Exit code 0: all was sent, or it was only shown; 1: some was skipped, the output says what; 2: wrong usage, or it
    cannot run now: what was sent already does no harm, repeat it.
    """
    if sum(map(bool, (entity, kind, everything))) != 1:
        raise Trouble("Say what: --entity ID, --kind KIND, or --all.")
    if lost and not (everything and service and not (since or until)):
        raise Trouble("A lost topic is sent as a whole: --lost goes with --service and --all, without times.")
    stack, services = Stack.of(os.environ).running(), chosen(service, SERVICES)
    request = RepublishRequest(
        entity=entity,
        kind=kind,
        since=instant(since) if since else None,
        until=instant(until) if until else None,
        lost=lost,
        write=yes,
    )
    answers = _having(entity, kind, ask_each(stack, services, lambda _: request))
    clean = not any(answer["left_out"] for answer in answers)
    if as_json:
        screen.print_json({"clean": clean, "services": answers})
    else:
        for answer in answers:
            _show(answer)
    raise typer.Exit(0 if clean else 1)


def _having(entity: str, kind: str, answers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers of the services that have it; Trouble where none has."""
    if kind and not any(kind in answer["kinds"] for answer in answers):
        known = "; ".join(f"{answer['service']}: {', '.join(answer['kinds'])}" for answer in answers)
        raise Trouble(f"There is no kind {kind!r}. Known kinds, in {known}.")
    if not entity:
        return [answer for answer in answers if not kind or kind in answer["kinds"]]
    if having := [answer for answer in answers if answer["entities"] or answer["left_out"]]:
        return having
    raise Trouble(f"Nothing of {entity!r} was published in that time: check the id, and at --since and --until.")


def _show(answer: dict[str, Any]) -> None:
    counts = f"{answer['events']:,} events of {answer['entities']:,} entities"
    done = f"{answer['sent']:,} sent" if not answer["dry_run"] else "would be sent. Say --yes to do it."
    screen.STDOUT.print(f"{answer['service']}: {counts}{', ' if answer['sent'] else ' '}{done}", soft_wrap=True)
    for line in answer["examples"]:
        screen.STDOUT.print(f"  skipped: {line}", soft_wrap=True)
