"""`linli backfill`: a reaction that is off catches up, then is turned on."""

from typing import Annotated

import typer

from deploy.cli import catching_up, groups
from deploy.cli.reactions import Name, Service, service_of
from deploy.cli.screen import Json


def command(
    name: Name,
    service: Service = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")] = False,
    as_json: Json = False,
) -> None:
    """Let a reaction that is off catch up, then turn it on, without a gap and without a duplicate.
    让一个关闭的反应补上它还没有处理的全部事件，然后开启，不遗漏也不重复。

    It begins where the reaction was turned off; a new reaction begins at the start of the topics. Reactions that wait
    for its copy catch up after it, and start with it. The consumer pauses for the last part only, 2 s at most. If this
    command is killed, the next run continues from there.
    Notices of things long past are written into inboxes; none of them is sent outside.

    Examples:  [bold]linli backfill tell-of-sales[/]  ·  [bold]linli backfill tell-of-sales --yes[/]

    Exit code 0: it is on, or was only shown; 2: it is on already, a worker does not pause, or wrong usage.
    """
    stack = groups.running_stack()
    result = catching_up.ask(stack, service_of(stack, name, service), name, yes=yes)
    catching_up.show(name, result, yes=yes, as_json=as_json)
