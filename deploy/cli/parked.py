"""`linli parked`: events on which a reaction failed; replays or drops them."""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table

from deploy.cli import screen
from deploy.cli.parking import Found, Lots, Wanted, drop_because
from deploy.cli.screen import Json
from deploy.local import Stack, Trouble
from services.chassis.domain.refusals import Unavailable

T = TypeVar("T")
_SHOWN = 20
_LONGEST = 300

command = typer.Typer(
    no_args_is_help=True,
    help="See the events that were set aside because a reaction failed on them, replay or drop them. "
    "查看因处理失败而搁置的事件，重新处理或放弃。",
)

Service = Annotated[str, typer.Option(help="Only those of this service.")]
Reaction = Annotated[str, typer.Option(help="Only those of this reaction.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")]
Within = Annotated[float, typer.Option(min=0, help="Seconds to wait for the outcome.")]
Id = Annotated[str, typer.Argument(help="As `linli parked list` shows it.")]


@command.command("list")
def list_parked(
    service: Service = "",
    reaction: Reaction = "",
    dropped: Annotated[bool, typer.Option("--dropped", help="Show dropped events instead.")] = False,
    as_json: Json = False,
) -> None:
    """List parked events, or dropped ones, in the order of their topics. 按主题顺序列出搁置或已放弃的事件。

    Examples:  [bold]linli parked list[/]  ·  [bold]linli parked list --reaction copy-team --json[/]  ·
    [bold]linli parked list --dropped[/]

    Exit code 0: listed (also where there are none); 2: a database does not answer.
    """
    found = _ask(lambda lots: lots.find(Wanted(service, reaction, dropped=dropped)))
    if as_json:
        events = [one.document() for one in found]
        screen.print_json({"count": len(found), "by_reaction": _by_reaction(found), "events": events})
        return
    if found:
        screen.STDOUT.print(_table(found))
    screen.STDOUT.print(_sum(found, "dropped" if dropped else "parked"))


@command.command("show")
def show(id: Id, service: Service = "", as_json: Json = False) -> None:
    """Show one parked event: why, since when, its headers, and what it says; sealed fields stay sealed.
    显示一个搁置事件的原因、时间和内容；加密字段保持加密。

    Example:  [bold]linli parked show 'copy-team|team_8f3k:2'[/]

    Exit code 0: shown; 2: there is no such event.
    """
    one = _one(_ask(lambda lots: lots.find(Wanted(service, id=id))), id)
    if as_json:
        screen.print_json(one.document())
        return
    for name, value in one.document().items():
        screen.STDOUT.print(f"{name:12} {value}", soft_wrap=True)


@command.command("replay")
def replay(
    id: Annotated[str, typer.Argument(help="One parked event, and the later ones of its entity.")] = "",
    reaction: Reaction = "",
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    service: Service = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this, more than one is only shown.")] = False,
    within: Within = 30,
    as_json: Json = False,
) -> None:
    """Let the workers try parked events again, those of one entity always together and in order.
    重新处理搁置的事件，同一对象的事件总是一起按顺序处理。

    An event that fails again stays parked, with its new reason, and so do the later ones of its entity.

    Examples:  [bold]linli parked replay 'copy-team|team_8f3k:2' --yes[/]  ·  [bold]linli parked replay --all --yes[/]

    Exit code 0: none of them is parked any more, or it was only shown; 1: some are parked still; 2: wrong usage.
    """
    if sum(map(bool, (id, reaction, everything))) != 1:
        raise Trouble("Say which: an ID, --reaction NAME, or --all.")
    wanted, tell = Wanted(service, reaction, id), screen.print_json if as_json else _tell
    before = _ask(lambda lots: lots.with_followers(wanted))
    if id:
        _one([one for one in before if one.id == id], id)
    if len(before) > 1 and not yes:
        tell({"dry_run": True, "would_replay": len(before), "by_reaction": _by_reaction(before)})
        return
    after = _ask(lambda lots: lots.replay(before, within, _progress))
    waiting = sum(one.replay for one in after)
    counts = {"before": len(before), "after": len(after), "not_tried_yet": waiting, "by_reaction": _by_reaction(after)}
    tell(counts)
    raise typer.Exit(1 if after else 0)


@command.command("drop")
def drop(
    id: Annotated[str, typer.Argument(help="One parked event.")] = "",
    reason: Annotated[str, typer.Option(help="Why it may be lost; it is kept with the event.")] = "",
    reaction: Reaction = "",
    followers: Annotated[bool, typer.Option("--followers", help="Also the later events that wait for it.")] = False,
    service: Service = "",
    yes: Yes = False,
    within: Within = 30,
    as_json: Json = False,
) -> None:
    """Drop parked events: they will never have their effect, and stay on record with the reason.
    放弃搁置的事件：它们不再生效，但连同原因永久保留。

    Later events of the same entity stay parked until they are replayed, unless --followers drops them too. With
    --reaction all events are dropped that are parked for it now. The worker that reads their partition does it.

    Examples:  [bold]linli parked drop 'copy-team|team_8f3k:2' --reason 'sent by a test'[/]  ·
    [bold]linli parked drop --reaction copy-team --reason 'sent by a test' --yes[/]

    Exit code 0: they are dropped, or it was only shown; 1: some are parked still; 2: wrong usage.
    """
    if bool(id) == bool(reaction) or (followers and not id):
        raise Trouble("Say which: an ID (with --followers or without), or --reaction NAME.")
    if not reason.strip():
        raise Trouble("Say with --reason why they may be lost: it is kept with them.")
    chosen = _ask(lambda lots: _to_drop(lots, Wanted(service, reaction, id), with_followers=followers))
    before = _ask(lambda lots: lots.find(Wanted(service)))
    result: dict[str, Any] = {"dry_run": not yes, "dropping": len(chosen), "by_reaction": _by_reaction(chosen)}
    if not yes:
        _tell_dropped({**result, "before": len(before), "after": len(before) - len(chosen)}, chosen, as_json=as_json)
        return
    left = _ask(lambda lots: lots.mark(chosen, drop_because(reason.strip()), within, _progress))
    after = _ask(lambda lots: lots.find(Wanted(service)))
    counts = {**result, "before": len(before), "after": len(after), "not_dropped_yet": len(left)}
    _tell_dropped(counts, chosen, as_json=as_json)
    raise typer.Exit(1 if left else 0)


async def _to_drop(lots: Lots, wanted: Wanted, *, with_followers: bool) -> list[Found]:
    found = await lots.find(wanted)
    if not wanted.id:
        return found
    first = _one(found, wanted.id)
    beside = await lots.with_followers(Wanted(first.service, id=first.id)) if with_followers else found
    return [one for one in beside if one.place >= first.place]


def _tell_dropped(counts: dict[str, Any], chosen: Sequence[Found], *, as_json: bool) -> None:
    if as_json:
        screen.print_json(counts)
        return
    for name, number in counts["by_reaction"].items():
        screen.STDOUT.print(f"{number:6} {name}")
    if counts["dry_run"]:
        for one in chosen[:_SHOWN]:
            screen.STDOUT.print(
                f"       {one.id}  {one.headers.get('ce_type', '')}  {one.explained[:_LONGEST]}", soft_wrap=True
            )
        would = f"{len(chosen)} of {counts['before']} parked events would be dropped, {counts['after']} would be left."
        screen.STDOUT.print(f"{would} Say --yes to do it.")
        return
    screen.STDOUT.print(f"parked before {counts['before']}, after {counts['after']}")
    if counts["not_dropped_yet"]:
        screen.STDOUT.print(f"{counts['not_dropped_yet']} not dropped yet: the worker will do it as soon as it runs")


def _tell(counts: dict[str, Any]) -> None:
    if counts.get("dry_run"):
        screen.STDOUT.print(f"{counts['would_replay']} events would be replayed. Say --yes to do it.")
    else:
        screen.STDOUT.print(f"parked before {counts['before']}, after {counts['after']}")
        if counts["not_tried_yet"]:
            screen.STDOUT.print(f"{counts['not_tried_yet']} not tried yet: the worker will do it as soon as it runs")


def _ask(work: Callable[[Lots], Awaitable[T]]) -> T:
    async def asked() -> T:
        lots = Lots.of(Stack.of(os.environ))
        try:
            return await work(lots)
        finally:
            await lots.close()

    try:
        return asyncio.run(asked())
    except Unavailable as error:
        raise Trouble("A database does not answer: see `linli status`, start what is down with `linli up`.") from error


def _one(found: Sequence[Found], id: str) -> Found:
    if not found:
        raise Trouble(f"No event {id!r} is parked: see `linli parked list`.")
    if len(found) > 1:
        services = ", ".join(one.service for one in found)
        raise Trouble(f"{id!r} is parked in {services}: say which with --service.")
    return found[0]


def _table(found: Iterable[Found]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("service", "id", "since", "asked", "reason"):
        table.add_column(title, overflow="fold")
    for one in found:
        since = f"{one.at.astimezone():%Y-%m-%d %H:%M:%S}"
        table.add_row(one.service, one.id, since, one.asked, one.why[:_LONGEST])
    return table


def _sum(found: Collection[Found], what: str) -> str:
    return "\n".join([f"{len(found)} {what}", *(f"{count:6} {name}" for name, count in _by_reaction(found).items())])


def _by_reaction(found: Iterable[Found]) -> dict[str, int]:
    return dict(Counter(f"{one.service} {one.reaction}" for one in found).most_common())


def _progress(left: int) -> None:
    if screen.STDERR.is_terminal:
        screen.STDERR.print(f"{left} to be tried", end="\r")
