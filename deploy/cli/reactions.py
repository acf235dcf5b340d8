"""`linli reactions`: which reactions of the services are on, and turning them on and off."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from deploy.cli import groups, screen
from deploy.cli.groups import LISTENERS, Group, operator
from deploy.cli.screen import Json
from deploy.local import Stack, Trouble
from services.chassis.messaging import control, switches
from services.chassis.messaging.switches import Switch
from services.chassis.operations.ledger.lag import parked_by_reaction

command = typer.Typer(
    no_args_is_help=True,
    help="See which reactions are on, turn one on from now on, or off. "
    "A new reaction starts off: [bold]linli backfill[/] brings it the past and turns it on. "
    "查看、开启或关闭各服务的反应；新反应默认关闭，可用 [bold]linli backfill[/] 补上过去的事件。",
)

Name = Annotated[str, typer.Argument(help="As `linli reactions list` shows it.")]
Service = Annotated[str, typer.Option(help="Of this service, where two have one of this name.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")]


@command.command("list")
def list_reactions(as_json: Json = False) -> None:
    """List the reactions of all services: on or off, since when, why, and how many events are parked for each.
    列出所有服务的反应：是否开启、自何时、原因，以及各自搁置的事件数。

    Examples:  [bold]linli reactions list[/]  ·  [bold]linli reactions list --json[/]

    Exit code 0: listed; 2: a database or the broker does not answer.
    """
    found = [one for service in LISTENERS for one in groups.ask(groups.running_stack(), service, _told)]
    if as_json:
        screen.print_json({"reactions": found})
        return
    table = Table(box=None, pad_edge=False)
    for title in ("service", "reaction", "", "since", "parked", "reason"):
        table.add_column(title, overflow="fold", justify="right" if title == "parked" else "left")
    for one in found:
        since = f"{one['since'].astimezone():%Y-%m-%d %H:%M:%S}{' (not the past)' if one['from_then_on'] else ''}"
        state = Text("on", style="green") if one["on"] else Text("off", style="yellow")
        table.add_row(one["service"], one["name"], state, since, str(one["parked"]), one["reason"])
    screen.STDOUT.print(table)


@command.command("start")
def start(name: Name, service: Service = "", yes: Yes = False, as_json: Json = False) -> None:
    """Turn a reaction on from now on: what came before it leaves out for good. `linli backfill` takes the past too.
    从现在起开启一个反应，不处理以前的事件；要处理以前的事件请用 `linli backfill`。

    Examples:  [bold]linli reactions start tell-of-sales[/]  ·  [bold]linli reactions start tell-of-sales --yes[/]

    Exit code 0: it is on, or was only shown; 2: it is on already, is a copy, or wrong usage.
    """

    async def asked(group: Group) -> dict[str, Any]:
        _expect(await _switch(group, name), on=False)
        if name.startswith("copy-"):
            raise Trouble(f"{name} keeps a copy, which needs the past: run `linli backfill {name}`.")
        left_out = sum((await group.committed()).values())
        if yes:
            async with control.resting(group.mongo, group.name, f"start of {name}", operator(), 90):
                await switches.start(group.mongo, name, await group.committed())
                await control.renew(group.mongo, group.name)
        return {"service": group.service, "reaction": name, "records_left_out": left_out, "dry_run": not yes}

    told = _where(name, service, asked)
    if as_json:
        screen.print_json(told)
    elif yes:
        screen.STDOUT.print(f"{name} is on, from now on")
    else:
        counts = f"{told['records_left_out']} records lie before now and would be left out"
        screen.STDOUT.print(f"{counts}: `linli backfill {name}` takes them. Say --yes to leave them out.")


@command.command("stop")
def stop(
    name: Name,
    reason: Annotated[str, typer.Option(help="Why; shown to everybody who looks.")],
    service: Service = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Turn a reaction off. What comes meanwhile it takes later, with `linli backfill`.
    关闭一个反应；期间的事件以后可用 `linli backfill` 补上。

    Example:  [bold]linli reactions stop tell --reason "wrong texts since 2.3" --yes[/]

    Exit code 0: it is off, or was only shown; 2: it is off already, or wrong usage.
    """

    async def asked(group: Group) -> dict[str, Any]:
        _expect(await _switch(group, name), on=True)
        if yes:
            await switches.stop(group.mongo, name, f"{reason} ({operator()})")
            await control.renew(group.mongo, group.name)
        return {"service": group.service, "reaction": name, "dry_run": not yes}

    told = _where(name, service, asked)
    if as_json:
        screen.print_json(told)
    else:
        screen.STDOUT.print(f"{name} is off" if yes else f"{name} would be turned off. Say --yes to do it.")


def service_of(stack: Stack, name: str, service: str) -> str:
    """The service that has a reaction of this name; Trouble where none has it, or two have."""
    having = [one for one in ((service,) if service else LISTENERS) if name in groups.ask(stack, one, _names)]
    if not having:
        raise Trouble(f"There is no reaction {name!r}: see `linli reactions list`.")
    if len(having) > 1:
        raise Trouble(f"{', '.join(having)} have a reaction {name!r}: say which with --service.")
    return having[0]


def _where(name: str, service: str, asked: Callable[[Group], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    stack = groups.running_stack()
    return groups.ask(stack, service_of(stack, name, service), asked)


async def _names(group: Group) -> set[str]:
    return {switch.name for switch in await switches.switches(group.mongo)}


async def _switch(group: Group, name: str) -> Switch:
    return next(switch for switch in await switches.switches(group.mongo) if switch.name == name)


def _expect(switch: Switch, *, on: bool) -> None:
    if switch.on != on:
        raise Trouble(f"{switch.name} is {'on' if switch.on else 'off'} already, since {switch.since:%Y-%m-%d %H:%M}.")


async def _told(group: Group) -> list[dict[str, Any]]:
    parked = await parked_by_reaction(group.mongo)
    return [
        {
            "service": group.service,
            "name": switch.name,
            "on": switch.on,
            "since": switch.since,
            "reason": switch.reason,
            "from_then_on": bool(switch.begins),
            "parked": parked.get(switch.name, 0),
        }
        for switch in await switches.switches(group.mongo)
    ]
