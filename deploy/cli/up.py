"""`linli up`: start what does not run."""

import os
import time

from deploy.cli import screen
from deploy.local import Stack


def command() -> None:
    """Start Kafka, the databases, the services and the gateway, and wait until all of them are ready.

    What runs already is left alone, data from earlier is kept. Ports are settings (LINLI_PORT_GATEWAY and so on;
    LINLI_PORT_BASE=1000 moves all of them), LINLI_HOME moves the data. A Kafka or MongoDB named by LINLI_KAFKA or
    LINLI_MONGO_MEMBERS, LINLI_MONGO_REQUESTS, LINLI_MONGO_NOTIFY is used instead of an own one.

    Examples:  [bold]linli up[/]  ·  [bold]LINLI_PORT_GATEWAY=9000 linli up[/]

    Exit code 0: all is ready; 2: it could not be started, the sentence says why.
    """
    began = time.monotonic()
    stack = Stack.asked_for(os.environ)
    with screen.progress() as report:
        stack.up(report)
    screen.STDOUT.print(f"Linli runs at {stack.gateway}/ ({time.monotonic() - began:.0f} s).")
