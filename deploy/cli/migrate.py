"""`linli migrate`: build indexes and topics."""

import os

from deploy.cli import screen
from deploy.cli.screen import Json
from deploy.local import Stack


def command(as_json: Json = False) -> None:
    """Build the indexes and topics that the services need; `linli up` does it too.
    建立各项服务所需的索引和主题；`linli up` 也会这样做。

    It may be repeated at any time, also while the services run.

    Example:  [bold]linli migrate[/]

    Exit code 0: all are there; 2: it failed, or Linli does not run.
    """
    with screen.progress() as report:
        migrated = Stack.of(os.environ).running().migrate(report)
    if as_json:
        screen.print_json({"migrated": migrated})
