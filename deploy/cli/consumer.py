"""`linli consumer`: pauses, resumes or resets the consumer of a service."""

from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.cli import groups, screen
from deploy.cli.groups import LISTENERS, Group, operator
from deploy.cli.screen import Json
from deploy.local import Trouble
from services.chassis.messaging import control
from services.chassis.messaging.control import RUNNING

command = typer.Typer(
    no_args_is_help=True,
    help="Show the state of the consumers of the services; pause, resume or reset one. "
    "查看各服务的消费者，暂停、恢复，或从其他位置重新读取。",
)

Service = Annotated[str, typer.Argument(help=f"Whose consumer: {' or '.join(LISTENERS)}.")]
Within = Annotated[float, typer.Option(min=0, help="Seconds to wait until every worker has confirmed.")]


@command.command("list")
def list_consumers(as_json: Json = False) -> None:
    """Show each consumer: running, paused or stopped, why, by whom, its workers, and how far behind it is.
    显示每个消费者的状态、原因、操作人、工作进程和积压量。

    Example:  [bold]linli consumer list[/]

    Exit code 0: listed; 2: a database or the broker does not answer.
    """
    stack = groups.running_stack()
    found = [groups.ask(stack, service, _summary) for service in LISTENERS]
    if as_json:
        screen.print_json({"consumers": found})
        return
    table = Table(box=None, pad_edge=False)
    for title in ("service", "state", "behind", "workers", "since", "by", "reason"):
        table.add_column(title, overflow="fold")
    for one in found:
        since = f"{one['at'].astimezone():%Y-%m-%d %H:%M:%S}" if one["at"] else ""
        workers = ", ".join(one["workers"])
        table.add_row(one["service"], one["state"], str(one["behind"]), workers, since, one["by"], one["reason"])
    screen.STDOUT.print(table)


@command.command("pause")
def pause(
    service: Service,
    reason: Annotated[str, typer.Option(help="Why; shown to everybody who looks.")],
    within: Within = 30,
    as_json: Json = False,
) -> None:
    """Pause a consumer: new events wait on the topic, nothing is lost. It finishes its current batch first.
    暂停消费者：新消息留在主题中等待，不会丢失。

    Example:  [bold]linli consumer pause notify --reason "SMS provider moves"[/]

    Exit code 0: it is paused; 1: a worker has not confirmed yet; 2: it was paused already, or wrong usage.
    """

    async def asked(group: Group) -> list[str]:
        if not await control.pause(group.mongo, group.name, reason, operator()):
            desired = await group.desired()
            raise Trouble(f"{service} is {desired.state} already, by {desired.by}: {desired.reason}.")
        return await control.wait_for_members(group.mongo, group.name, within)

    _tell(service, "paused", groups.ask(groups.running_stack(), service, asked), as_json=as_json)


@command.command("resume")
def resume(service: Service, within: Within = 30, as_json: Json = False) -> None:
    """Resume a consumer that is paused, or that stopped because it could not read records, from its last position.
    让暂停的消费者，或因无法读取记录而停止的消费者，从原处继续。

    Example:  [bold]linli consumer resume notify[/]

    Exit code 0: it runs; 1: a worker has not confirmed yet; 2: it was running already, or wrong usage.
    """

    async def asked(group: Group) -> list[str]:
        if moves := (await group.desired()).moves:
            raise Trouble(f"{len(moves)} partitions are still to be reset: start the workers, then resume.")
        if not await control.resume(group.mongo, group.name, operator()):
            raise Trouble(f"{service} is running already.")
        return await control.wait_for_members(group.mongo, group.name, within)

    _tell(service, "running", groups.ask(groups.running_stack(), service, asked), as_json=as_json)


@command.command("reset")
def reset(
    service: Service,
    to: Annotated[str, typer.Option(help="earliest, latest, or a time such as 2026-11-24T08:00.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")] = False,
    within: Within = 30,
    as_json: Json = False,
) -> None:
    """Let a paused consumer read from another position. An event that had its effect already has no second one.
    让已暂停的消费者从其他位置重新读取；已生效的事件会被识别，不会重复生效。

    An earlier position loses nothing. [bold]latest[/] skips what has not been read yet: `linli verify` will report it.
    Afterwards: [bold]linli consumer resume[/].

    Examples:  [bold]linli consumer reset notify --to earliest[/]  ·
    [bold]linli consumer reset notify --to 2026-11-24T08:00 --yes[/]

    Exit code 0: done, or only shown; 1: a worker has not confirmed yet; 2: it is not paused, or wrong usage.
    """

    async def asked(group: Group) -> dict[str, Any]:
        after = await group.target(to)
        if (await group.desired()).state == RUNNING:
            raise Trouble(f"{service} runs: pause it first with `linli consumer pause {service} --reason …`.")
        before = await group.committed()
        again = sum(max(0, before.get(place, 0) - offset) for place, offset in after.items())
        left_out = sum(max(0, offset - before.get(place, 0)) for place, offset in after.items())
        result: dict[str, Any] = {"service": service, "to": to, "read_again": again, "left_out": left_out}
        result["partitions"] = [
            {"topic": place[0], "partition": place[1], "before": before.get(place, 0), "after": offset}
            for place, offset in sorted(after.items())
        ]
        if not yes:
            return {**result, "dry_run": True, "waiting": []}
        await control.move(group.mongo, group.name, after, operator())
        return {**result, "dry_run": False, "waiting": await control.wait_for_members(group.mongo, group.name, within)}

    result = groups.ask(groups.running_stack(), service, asked)
    if as_json:
        screen.print_json(result)
    else:
        _show_reset(result)
    raise typer.Exit(1 if result["waiting"] else 0)


def _show_reset(result: dict[str, Any]) -> None:
    for one in result["partitions"]:
        if one["before"] != one["after"]:
            screen.STDOUT.print(f"{one['topic']}-{one['partition']}  {one['before']} → {one['after']}")
    counts = f"{result['read_again']} records are read again, {result['left_out']} are skipped"
    if result["dry_run"]:
        screen.STDOUT.print(f"{counts}. Say --yes to do it.")
        return
    screen.STDOUT.print(f"{counts}. Continue with `linli consumer resume {result['service']}`.")
    _show_waiting(result["waiting"])


async def _summary(group: Group) -> dict[str, Any]:
    desired = await group.desired()
    result = {
        "service": group.service,
        "state": desired.state,
        "reason": desired.reason,
        "by": desired.by,
        "at": desired.at,
    }
    return {**result, "workers": sorted(desired.members), "waiting": desired.waits_for(), "behind": await group.lag()}


def _tell(service: str, state: str, waiting: list[str], *, as_json: bool) -> None:
    if as_json:
        screen.print_json({"service": service, "state": state, "waiting": waiting})
    else:
        screen.STDOUT.print(f"{service}: {state}")
        _show_waiting(waiting)
    raise typer.Exit(1 if waiting else 0)


def _show_waiting(waiting: list[str]) -> None:
    if waiting:
        screen.STDOUT.print(f"not confirmed yet: {', '.join(waiting)}; a worker confirms as soon as it runs")
