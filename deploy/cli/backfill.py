"""`linli backfill`: a reaction that is off takes the past, then is turned on."""

from typing import Annotated

import typer

from deploy.cli import asking, groups, screen
from deploy.cli.reactions import Name, Service, service_of
from deploy.cli.screen import Json
from services.chassis.operations.protocol import BackfillRequest


def command(
    name: Name,
    service: Service = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")] = False,
    as_json: Json = False,
) -> None:
    """Let a reaction that is off take all events of the past, then turn it on, without a hole and without a double.
    让一个关闭的反应补上过去的全部事件，然后开启，不遗漏也不重复。

    The consumer rests for the last stretch only. Killed at any moment, it goes on where it was when it is run again.
    Notices of things long past are written into inboxes; none of them leaves the house.

    Examples:  [bold]linli backfill tell-of-sales[/]  ·  [bold]linli backfill tell-of-sales --yes[/]

    Exit code 0: it is on, or was only shown; 2: it is on already, a worker does not obey, or wrong usage.
    """
    stack = groups.running_stack()
    request = BackfillRequest(reaction=name, write=yes)
    with screen.progress() as report:
        told = asking.ask(stack, service_of(stack, name, service), request, report)
    if as_json:
        screen.print_json(told)
    elif yes:
        screen.STDOUT.print(f"{name} has read {told['read']} records, and is on")
    else:
        counts = f"{told['records']} records are to be read; {told['workers']} workers rest at its end"
        screen.STDOUT.print(f"{counts}. Say --yes to do it.")
