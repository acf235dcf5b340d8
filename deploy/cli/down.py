"""`linli down`: stop everything."""

import os
import time

from deploy.cli import screen
from deploy.cli.screen import Json
from deploy.local import Stack


def command(as_json: Json = False) -> None:
    """Stop everything that `linli up` started, and make sure that no process and no port of it is left.
    全部停止，并确认没有遗留的进程和端口；数据保留。

    The data stays in .linli/ (or LINLI_HOME).

    Example:  [bold]linli down[/]

    Exit code 0: nothing runs any more; 2: something could not be stopped, the message says what.
    """
    began = time.monotonic()
    stack = Stack.of(os.environ)
    with screen.progress() as report:
        stack.down(report)
    if as_json:
        seconds = round(time.monotonic() - began, 1)
        screen.print_json({"running": False, "gateway": stack.gateway, "seconds": seconds, "processes": []})
    else:
        screen.STDOUT.print(f"Nothing of Linli runs any more; its data is in {stack.home.root}.", soft_wrap=True)
