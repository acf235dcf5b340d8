"""`linli demo`: everything started, the city filled, and a first case played step by step."""

import asyncio
import os
import time
from functools import partial

from deploy.cli import screen
from deploy.cli.city import credentials
from deploy.cli.city.client import Gateway, Refused, Unanswered
from deploy.cli.city.spool import CodeMissing
from deploy.cli.demoing.tour import Tour
from deploy.cli.seed import folder, seed
from deploy.cli.seeding import marker
from deploy.local import Stack, Trouble


def command() -> None:
    """Start Linli, fill it with its city where that has not been done, and play a first case on the screen.

    A resident signs in by phone, finds the right service, files, is told who has it and by when; the station takes it
    on, does it and answers; the resident rates it. What is there already is kept: the second time takes seconds.

    Example:  [bold]linli demo[/]

    Exit code 0: it runs, and the case was closed; 1: the case did not go its way; 2: it could not be started.
    """
    began = time.monotonic()
    stack = Stack.asked_for(os.environ)
    with screen.progress() as report:
        stack.up(report)
    asyncio.run(_play(stack))
    _show_next(stack, time.monotonic() - began)


async def _play(stack: Stack) -> None:
    async with Gateway(stack.gateway, patience=30) as gateway:
        data = folder(stack)
        if not await marker.is_seeded(stack.home, data, gateway):
            await seed(stack, data)
        try:
            await Tour(gateway, credentials.read(stack.home), stack.home.sms).play()
        except (Refused, Unanswered, CodeMissing) as error:
            raise Trouble(f"The first case did not go its way: {error}. See `linli status`.", code=1) from error


def _show_next(stack: Stack, seconds: float) -> None:
    say = partial(screen.STDOUT.print, soft_wrap=True)
    say(f"\nLinli runs at [bold]{stack.gateway}/[/] ({seconds:.0f} s): the API page, to try everything from.")
    say(f"Accounts of every role, with passwords and second factors: {credentials.path(stack.home)}")
    say("Next:  [bold]linli status[/]   how everything is")
    say("       [bold]linli sms -f[/]   what phones receive, sign-in codes too")
    say("       [bold]linli verify[/]   whether every promise holds")
    say("       [bold]linli down[/]     stop; the data stays")
