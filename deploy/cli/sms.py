"""`linli sms`: the text messages that phones would have received."""

import os
import re
import time
from datetime import datetime
from typing import Annotated

import typer

from deploy.cli import screen
from deploy.cli.city.spool import Spool, TextMessage
from deploy.local import Stack, Trouble

PAUSE_SECONDS = 0.3


def command(
    phone: Annotated[str, typer.Option(help="Only those to this phone.")] = "",
    following: Annotated[bool, typer.Option("-f", "--follow", help="Follow new messages, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line, for machines.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of the last ones; 0: all.")] = 20,
) -> None:
    """Show the text messages that were sent, newest last: a local city does not send them, it writes them to a folder.
    显示已发出的短信：本机运行时短信不外发，存放在文件夹里。

    Sign-in codes are among them.

    Examples:  [bold]linli sms[/]  ·  [bold]linli sms --phone 13800138000[/]  ·  [bold]linli sms -f[/]

    Exit code 0: shown (also where there are none); 2: that is not a phone number.
    """
    spool, wanted = Spool(Stack.of(os.environ).home.sms), _national(phone)
    show = _show_json if as_json else _show
    found = _to(wanted, spool.news())
    for message in found[-lines:]:
        show(message)
    if not found and not as_json:
        screen.STDERR.print(f"No messages to {phone} yet." if phone else "No messages yet.")
    while following:
        time.sleep(PAUSE_SECONDS)
        for message in _to(wanted, spool.news()):
            show(message)


def _national(phone: str) -> str:
    """Its 11 digits, "" for none; Trouble where it is not a phone number."""
    digits = re.sub(r"[\s-]", "", phone).removeprefix("+86")
    if phone and not re.fullmatch(r"\d{11}", digits):
        raise Trouble(f"{phone!r} is not a phone number: give its 11 digits, such as 13800138000.")
    return digits


def _to(phone: str, messages: list[TextMessage]) -> list[TextMessage]:
    return [message for message in messages if phone in ("", message.phone.removeprefix("+86"))]


def _show(message: TextMessage) -> None:
    screen.STDOUT.print(f"{_clock(message.at)}  {message.phone}  {message.text}", soft_wrap=True)


def _show_json(message: TextMessage) -> None:
    screen.print_json_line(message)


def _clock(at: datetime) -> str:
    return f"{at.astimezone():%m-%d %H:%M:%S}"
