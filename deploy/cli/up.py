"""`linli up`: start what does not run."""

import os
import time

from deploy.cli import screen
from deploy.cli.screen import Json
from deploy.local import Stack


def command(as_json: Json = False) -> None:
    """Start Kafka, the databases, the services and the gateway, and wait until all of them are ready.
    启动消息系统、数据库、各项服务和网关，直到全部就绪。

    What runs already is left alone, data from earlier is kept. Ports are settings (LINLI_PORT_GATEWAY and so on;
    LINLI_PORT_BASE=1000 moves all of them), LINLI_HOME moves the data. A Kafka or MongoDB named by LINLI_KAFKA or
    LINLI_MONGO_MEMBERS, LINLI_MONGO_REQUESTS, LINLI_MONGO_NOTIFY is used instead of a new one. LINLI_TOPOLOGY=three,
    set at the first start of a home and at every later one, runs three brokers and three nodes of each database.
    LINLI_WEB=2 and LINLI_WORKERS=2 run two of each service's processes, for a machine with more cores.

    Examples:  [bold]linli up[/]  ·  [bold]LINLI_PORT_GATEWAY=9000 linli up[/]

    Exit code 0: all is ready; 2: it could not be started, the message says why.
    """
    began = time.monotonic()
    stack = Stack.asked_for(os.environ)
    with screen.progress() as report:
        stack.up(report)
    seconds = time.monotonic() - began
    if as_json:
        names = [process.name for process in stack.layout.processes]
        result = {"running": True, "gateway": stack.gateway, "seconds": round(seconds, 1), "processes": names}
        screen.print_json(result)
    else:
        screen.STDOUT.print(f"Linli runs at {stack.gateway}/ ({seconds:.0f} s).")
