"""`linli migrate`: build indexes and topics."""

import os

from deploy.cli import screen
from deploy.local import Stack


def command() -> None:
    """Build the indexes and topics that the services need; `linli up` does it too.

    It may be repeated at any time, also while the services run.

    Example:  [bold]linli migrate[/]

    Exit code 0: all are there; 2: it failed, or Linli does not run.
    """
    with screen.progress() as report:
        Stack.of(os.environ).running().migrate(report)
