"""`linli down`: stop everything."""

import os

from deploy.cli import screen
from deploy.local import Stack


def command() -> None:
    """Stop everything that `linli up` started, and make sure that no process and no port of it is left.

    The data stays in .linli/ (or LINLI_HOME).

    Example:  [bold]linli down[/]

    Exit code 0: nothing runs any more; 2: something could not be stopped, the sentence says what.
    """
    stack = Stack.of(os.environ)
    with screen.progress() as report:
        stack.down(report)
    screen.STDOUT.print(f"Nothing of Linli runs any more; its data is in {stack.home.root}.", soft_wrap=True)
