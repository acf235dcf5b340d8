"""`linli reactions`: which reactions of the services are on, and turning them on and off."""

from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from deploy.cli import catching_up, groups, screen, sentences
from deploy.cli.groups import LISTENERS, Group, operator
from deploy.cli.screen import Json
from deploy.local import Stack, Trouble
from services.chassis.messaging import control, switching
from services.chassis.messaging.switches import OFF, ON, WAITING, Switch, blocked_by
from services.chassis.operations.ledger.lag import parked_by_reaction

command = typer.Typer(
    no_args_is_help=True,
    help="See which reactions are on, and turn one on or off. "
    "One that fails again and again is turned off alone and catches up when it is started again. "
    "A new reaction starts off: [bold]linli backfill[/] processes past events and turns it on. "
    "查看、开启或关闭各服务的反应；反复失败的反应会被单独关闭，重新开启时从关闭处补上；"
    "新反应默认关闭，可用 [bold]linli backfill[/] 补上过去的事件。",
)

Name = Annotated[str, typer.Argument(help="As `linli reactions list` shows it.")]
Service = Annotated[str, typer.Option(help="Of this service, where two have one of this name.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")]


@command.command("list")
def list_reactions(as_json: Json = False) -> None:
    """List the reactions of all services: on, off or waiting for a copy, since when, why, and how far behind.
    列出所有服务的反应：是否开启（或在等待）、自何时、原因、落后的记录数，以及各自搁置的事件数。

    Examples:  [bold]linli reactions list[/]  ·  [bold]linli reactions list --json[/]

    Exit code 0: listed; 2: a database or the broker does not answer.
    """
    found = [one for service in LISTENERS for one in groups.ask(groups.running_stack(), service, _summary)]
    if as_json:
        screen.print_json({"reactions": found})
        return
    table = Table(box=None, pad_edge=False)
    for title in ("service", "reaction", "", "since", "behind", "parked", "reason"):
        table.add_column(title, overflow="fold", justify="right" if title in ("behind", "parked") else "left")
    for one in found:
        since = f"{one['since'].astimezone():%Y-%m-%d %H:%M:%S}{' (not the past)' if one['from_then_on'] else ''}"
        state = Text(one["state"], style="green" if one["on"] else "yellow")
        counts = str(one["behind"]), str(one["parked"])
        table.add_row(one["service"], one["name"], state, since, *counts, one["explained"])
    screen.STDOUT.print(table)


@command.command("start")
def start(
    name: Name,
    service: Service = "",
    from_now: Annotated[
        bool, typer.Option("--from-now", help="Skip for good the events that it has not processed.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Turn a reaction on: it catches up from where it was turned off. Reactions that wait for its copy follow it.
    开启一个反应：从关闭处开始补上，等待其副本的反应随之开启；--from-now 则从现在起，不处理以前的事件。

    The other reactions pause for the last part only, 2 s at most. A new reaction was never turned off: `linli backfill`
    processes all past events, `--from-now` skips them.

    Examples:  [bold]linli reactions start tell --yes[/]  ·  [bold]linli reactions start tell-of-sales --from-now[/]

    Exit code 0: it is on, or was only shown; 2: it is on already, reads a copy that is off, or wrong usage.
    """
    stack = groups.running_stack()
    owner = service_of(stack, name, service)
    if not from_now:
        groups.ask(stack, owner, lambda group: _expect_known(group, name))
        catching_up.show(name, catching_up.ask(stack, owner, name, yes=yes), yes=yes, as_json=as_json)
        return
    result = groups.ask(stack, owner, lambda group: _from_now(group, name, yes=yes))
    if as_json:
        screen.print_json(result)
    elif yes:
        screen.STDOUT.print(f"{name} is on, from now on")
    else:
        screen.STDOUT.print(f"{result['records_left_out']} records would be skipped. Say --yes to do it.")


async def _expect_known(group: Group, name: str) -> None:
    if (await _switch(group, name)).positions is None:
        raise Trouble(f"{name} has never been on: run `linli backfill {name}`, or say --from-now to skip past events.")


async def _from_now(group: Group, name: str, *, yes: bool) -> dict[str, Any]:
    switch, confirmed = await _switch(group, name), await group.committed()
    _expect(switch, states=(OFF, WAITING))
    if name.startswith("copy-"):
        raise Trouble(f"{name} keeps a copy, which needs all past events: run `linli backfill {name}`.")
    if blocked := blocked_by(switch, (await group.desired()).switches):
        raise Trouble(f"{name} reads what {', '.join(blocked)} copies, and that is off: start that first.")
    if yes:
        await _turn_on_from_now(group, name)
    result = {"service": group.service, "reaction": name, "records_left_out": switch.behind(confirmed)}
    return {**result, "dry_run": not yes}


async def _turn_on_from_now(group: Group, name: str) -> None:
    async with control.paused(group.mongo, group.name, f"start of {name}", operator(), 90) as order:
        begins = await group.committed()
        if not await switching.turn_on(group.mongo, group.name, [name], order, begins):
            raise Trouble("Somebody changed the state of the consumer meanwhile: try again.")


@command.command("stop")
def stop(
    name: Name,
    reason: Annotated[str, typer.Option(help="Why; shown to everybody who looks.")],
    service: Service = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Turn one reaction off. What arrives meanwhile it processes later, with `linli reactions start`.
    单独关闭一个反应；期间的事件以后可用 `linli reactions start` 补上。

    Reactions that read its copy wait with it.

    Example:  [bold]linli reactions stop tell --reason "wrong texts since 2.3" --yes[/]

    Exit code 0: it is off, or was only shown; 2: it is off already, or wrong usage.
    """

    async def asked(group: Group) -> dict[str, Any]:
        _expect(await _switch(group, name), states=(ON, WAITING))
        known = (await group.desired()).switches
        waiting = sorted(n for n, switch in known.items() if name in switch.reads and switch.on)
        if yes:
            confirmed = await group.committed()
            await switching.turn_off(group.mongo, group.name, {name: reason}, operator(), confirmed)
        return {"service": group.service, "reaction": name, "waiting": waiting, "dry_run": not yes}

    stack = groups.running_stack()
    result = groups.ask(stack, service_of(stack, name, service), asked)
    if as_json:
        screen.print_json(result)
        return
    others = f"; {', '.join(result['waiting'])} would wait with it" if result["waiting"] and not yes else ""
    screen.STDOUT.print(f"{name} is off" if yes else f"{name} would be turned off{others}. Say --yes to do it.")


def service_of(stack: Stack, name: str, service: str) -> str:
    """The service with a reaction of this name; Trouble if none has it, or two have."""
    having = [one for one in ((service,) if service else LISTENERS) if name in groups.ask(stack, one, _names)]
    if not having:
        raise Trouble(f"There is no reaction {name!r}: see `linli reactions list`.")
    if len(having) > 1:
        raise Trouble(f"{', '.join(having)} have a reaction {name!r}: say which with --service.")
    return having[0]


async def _names(group: Group) -> set[str]:
    return set((await group.desired()).switches)


async def _switch(group: Group, name: str) -> Switch:
    return (await group.desired()).switches[name]


def _expect(switch: Switch, *, states: tuple[str, ...]) -> None:
    if switch.state not in states:
        since = f"{switch.since:%Y-%m-%d %H:%M}"
        raise Trouble(f"{switch.name} is {switch.state} already, since {since}.")


async def _summary(group: Group) -> list[dict[str, Any]]:
    parked, confirmed = await parked_by_reaction(group.mongo), await group.committed()
    return [
        {
            "service": group.service,
            "name": switch.name,
            "state": switch.state,
            "on": switch.on,
            "since": switch.since,
            "reason": switch.reason,
            "explained": sentences.explained(group.service, switch.reason),
            "by": switch.by,
            "behind": switch.behind(confirmed),
            "from_then_on": bool(switch.begins),
            "parked": parked.get(switch.name, 0),
        }
        for switch in (await group.desired()).switches.values()
    ]
