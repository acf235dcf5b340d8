"""A process of a service that is killed at a named point, and started again and again, until it is told to end.

``python -m tests.faults.dying requests worker --die-at before-mark --after 3``: each life ends with SIGKILL when its
third batch is acknowledged and not yet marked. Everything else is the service's ordinary process. One line on stderr
for each death.
"""

import argparse
import ctypes
import itertools
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, NoReturn

from services.chassis.messaging.delivery import Delivery
from services.chassis.messaging.kafka.publisher import Publisher
from services.chassis.messaging.kafka.reader import Reader, _Turns
from services.chassis.messaging.relay import Relay
from services.chassis.ops import entry
from services.chassis.ops.service import Service
from services.chassis.storage import archive
from services.chassis.storage.mongo import connect
from services.chassis.storage.store import Store
from services.members.app import service as members
from services.notify.app import service as notify
from services.notify.messages import commands as messages
from services.requests.app import service as requests

SERVICES: dict[str, Service] = {service.name: service for service in (members, requests, notify)}
_DIES_WITH_PARENT = 1


@dataclass(frozen=True)
class Point:
    """A place in the code; a call counts where its last argument is not empty: then there is something to lose."""

    owner: type | ModuleType
    function: str
    when: Literal["before", "after"]
    idle: bool = False
    """Whether also calls count whose last argument is empty."""


POINTS = {
    "before-write": Point(Store, "_write", "before", idle=True),
    "after-write": Point(Store, "_write", "after", idle=True),
    "after-send": Point(Publisher, "_acknowledged", "before"),
    "before-mark": Point(Relay, "mark", "before"),
    "after-mark": Point(Relay, "mark", "after"),
    "before-pull": Point(archive, "pull", "before"),
    "before-effect": Point(Delivery, "_write_together", "before"),
    "before-memory": Point(Delivery, "_remember", "before"),
    "before-commit": Point(Reader, "commit", "before"),
    "after-commit": Point(Reader, "commit", "after"),
    "revoked": Point(_Turns, "on_partitions_revoked", "before"),
    "before-note": Point(messages, "note_made", "before"),
}


def armed(point: Point, after: int) -> None:
    """Let this process die at the ``after``-th call that counts."""
    original, calls = getattr(point.owner, point.function), itertools.count(1)

    async def mortal(*given: Any, **more: Any) -> Any:
        due = (point.idle or bool(given[-1])) and next(calls) == after
        if due and point.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        outcome = await original(*given, **more)
        if due:
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome

    setattr(point.owner, point.function, mortal)


def main() -> None:
    """Live again and again."""
    given = _given()
    service, chance = SERVICES[given.service], random.Random(given.seed)
    connect(os.environ[f"LINLI_MONGO_{service.name.upper()}"])  # imports what each life would import; nothing connects
    for life in itertools.count(1):
        after = given.after or chance.randint(1, 4)
        child = _born(lambda: _live(service, given.role, POINTS[given.die_at], after))  # noqa: B023 - called at once
        signal.signal(signal.SIGTERM, lambda *_: _end(child))  # noqa: B023 - set anew for each
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        sys.stderr.write(f"life {life}: {'died' if killed else f'ended with {status}'}\n")
        sys.stderr.flush()
        time.sleep(0.1 if killed else 1)


def _live(service: Service, role: str, point: Point, after: int) -> None:
    """The ordinary process, in a child."""
    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
    os.dup2(1, 2)
    armed(point, after)
    sys.argv = [f"services.{service.name}", role]
    entry.main(service)


def _born(live: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        live()
    finally:
        os._exit(0)


def _end(child: int) -> NoReturn:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os._exit(0)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.dying", description=__doc__)
    parser.add_argument("service", choices=SERVICES)
    parser.add_argument("role", choices=("web", "worker"))
    parser.add_argument("--die-at", choices=POINTS, required=True)
    parser.add_argument("--after", type=int, default=0, metavar="N", help="the N-th call is the last; 0: at random")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
