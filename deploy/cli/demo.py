"""`linli demo`: starts everything, seeds the city, and shows a first case step by step."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text

from deploy.cities.load import time_zone
from deploy.cli import screen
from deploy.cli.city import credentials
from deploy.cli.city.client import Gateway, Unanswered
from deploy.cli.demoing.tour import Astray, Step, Tour
from deploy.cli.screen import Json
from deploy.cli.seed import seed
from deploy.cli.seeding import marker
from deploy.local import Stack, Trouble

GIVE_UP_SECONDS = 30


def command(as_json: Json = False) -> None:
    """Start Linli, fill it with its city where that has not been done, and play a first case on the screen.
    启动邻里，录入城市数据，并在屏幕上演示第一件诉求。

    A resident signs in by phone, finds the right service, files, learns who handles it and by when; the station
    accepts it, does the work and answers; the resident rates it. Existing data is kept: a second run takes seconds.

    Example:  [bold]linli demo[/]

    Exit code 0: it runs, and the case was closed; 1: the case did not run as expected; 2: it could not be started.
    """
    began = time.monotonic()
    stack = Stack.asked_for(os.environ)
    with screen.progress() as report:
        stack.up(report)
    asyncio.run(_fill(stack))
    show = _show_json if as_json else _show
    show(stack, began)


async def _fill(stack: Stack) -> None:
    """Seed the city of the stack, if that has not been done."""
    data = stack.city_data
    try:
        async with Gateway(stack.gateway, give_up_after=GIVE_UP_SECONDS) as gateway:
            seeded = await marker.is_seeded(stack.home, data, gateway)
    except Unanswered as error:
        raise Trouble(f"The state of the city cannot be read: {error}. See `linli status`.", code=1) from error
    if not seeded:
        await seed(stack, data)


async def _play(stack: Stack, tell: Callable[[Step], None]) -> Sequence[Mapping[str, Any]]:
    """The first case, with its timeline; Trouble if it fails."""
    try:
        async with Gateway(stack.gateway, give_up_after=GIVE_UP_SECONDS) as gateway:
            return await Tour(gateway, credentials.read(stack.home), stack.home.sms, tell).play()
    except Astray as error:
        raise Trouble(f"The first case did not run as expected: {error}. See `linli status`.", code=1) from error


def _show_json(stack: Stack, began: float) -> None:
    steps: list[Step] = []
    timeline = asyncio.run(_play(stack, steps.append))
    seconds, accounts = round(time.monotonic() - began, 1), str(credentials.path(stack.home))
    result = {"running": True, "gateway": stack.gateway, "seconds": seconds, "accounts": accounts}
    screen.print_json({**result, "steps": steps, "timeline": timeline})


def _show(stack: Stack, began: float) -> None:
    screen.STDOUT.print(Text("\nA first case", style="bold"))
    _show_timeline(asyncio.run(_play(stack, _show_step)), time_zone(stack.city_data))
    _show_next(stack, time.monotonic() - began)


def _show_step(step: Step) -> None:
    screen.STDOUT.print(f"  {step.seconds:6.2f} s  {step.who:10} {step.what}", soft_wrap=True)


def _show_timeline(timeline: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> None:
    """In the city's time zone, as in the messages."""
    screen.STDOUT.print(Text("\nIts timeline", style="bold"))
    for entry in timeline:
        at = datetime.fromisoformat(entry["at"]).astimezone(zone)
        screen.STDOUT.print(f"  {at:%Y-%m-%d %H:%M:%S}  {entry['name']['zh']} / {entry['name']['en']}")


def _show_next(stack: Stack, seconds: float) -> None:
    say, linli = partial(screen.STDOUT.print, soft_wrap=True), typed()
    say(f"\nLinli runs at {stack.gateway}/ ({seconds:.0f} s): the API page, to try everything from.")
    say(f"Accounts, with passwords and second factors: {credentials.path(stack.home)}. A token for each role:")
    for role, login in credentials.read(stack.home).by_role().items():
        say(f"  {role:14} {linli} token {login}")
    say(f"Next:  [bold]{linli} status[/]   the state of everything", markup=True)
    say(f"       [bold]{linli} sms -f[/]   what phones receive, sign-in codes too", markup=True)
    say(f"       [bold]{linli} verify[/]   whether every promise holds", markup=True)
    say(f"       [bold]{linli} down[/]     stop; the data stays", markup=True)


def typed() -> str:
    """How to call this command line: by name if the shell finds it, else by path."""
    own = Path(sys.executable).with_name("linli")
    found = shutil.which("linli")
    return "linli" if found and Path(found).resolve() == own.resolve() else os.path.relpath(own)
