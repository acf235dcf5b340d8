"""`linli doctor`: checks everything that Linli needs; each line is fine or says what to do."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import typer

from deploy.cli import screen
from deploy.cli.examining import city, lines, machine, services
from deploy.cli.examining.lines import Line
from deploy.cli.screen import Json
from deploy.local import Stack
from deploy.local.processes import SERVICES
from services.chassis.operations.doctor.findings import Finding, wrong

Look = Callable[[], list[Line]]
ASKED_FOR_NOTHING = 2


def command(as_json: Json = False) -> None:
    """Check everything that Linli depends on, and say what to do about each problem. Nothing is changed.
    检查 Linli 所依赖的一切，并说明需要处理的事项。

    Versions, settings, secrets and keys, disk, clocks, indexes, topics, consumer groups, leases, what is parked,
    stopped, off or unfinished, the calendar. Each line is ok, needs attention soon, or is wrong now.

    Examples:  [bold]linli doctor[/]  ·  [bold]linli doctor --json | jq '.lines[] | select(.level != "ok")'[/]

    Exit code 0: nothing is wrong; 1: something is, its line says what to do; 2: Linli does not run, so that only this
    machine and the city's data were checked.
    """
    stack = Stack.of(os.environ)
    answers = _can_answer(stack)
    with screen.STDERR.status("looking"):
        found = _all_at_once([*_here(stack), *(_there(stack) if answers else ())])
    if not answers:
        found += lines.of("machine", [wrong("processes", "Linli does not run", "linli up")])
    if as_json:
        screen.print_json({"well": all(line["level"] != "wrong" for line in found), "lines": found})
    else:
        _show(found)
    wrong_lines = any(line["level"] == "wrong" for line in found)
    raise typer.Exit(int(wrong_lines) if answers else ASKED_FOR_NOTHING)


def _can_answer(stack: Stack) -> bool:
    """Whether it runs, here or elsewhere."""
    return stack.is_running() or not any(process.layer == 0 for process in stack.layout.processes)


def _here(stack: Stack) -> list[Look]:
    looks: dict[str, Sequence[Callable[[], list[Finding]]]] = {
        "machine": (
            machine.packages,
            lambda: machine.programs(stack),
            lambda: machine.settings(os.environ, services.settings()),
            lambda: machine.disk(stack),
            lambda: machine.files(stack),
        ),
        "city": (lambda: city.holidays(stack), lambda: city.dangers(stack), lambda: city.encryption(stack)),
    }
    return [_in(where, look) for where, all_ in looks.items() for look in all_]


def _there(stack: Stack) -> list[Look]:
    asked: list[Look] = [_examining(stack, service) for service in SERVICES]
    return [*asked, _in("machine", lambda: services.processes(stack))] if stack.is_running() else asked


def _in(where: str, look: Callable[[], list[Finding]]) -> Look:
    return lambda: lines.of(where, look())


def _examining(stack: Stack, service: str) -> Look:
    return lambda: services.examine(stack, service)


def _all_at_once(looks: Sequence[Look]) -> list[Line]:
    with ThreadPoolExecutor(len(looks)) as at_once:
        asked = [at_once.submit(_tried, look) for look in looks]
        return [line for one in asked for line in one.result()]


def _tried(look: Look) -> list[Line]:
    try:
        return look()
    except Exception as error:  # a check that fails is a line like the others, never a traceback
        said = f"cannot be checked ({type(error).__name__}: {error})"
        return lines.of("machine", [wrong("doctor", said, "fix what that says, or report it to the developers")])


def _show(found: Sequence[Line]) -> None:
    if screen.STDOUT.is_terminal:
        screen.STDOUT.print(lines.table(found))
        return
    for line in found:
        typer.echo(lines.plain(line))
