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
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, Literal

from services.chassis.messaging.delivery import Delivery
from services.chassis.messaging.kafka.publisher import Publisher
from services.chassis.messaging.kafka.reader import Reader, _Assignments
from services.chassis.messaging.memory import Memory
from services.chassis.messaging.relay import Relay
from services.chassis.runtime import entry
from services.chassis.runtime.service import Service
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
    "before-memory": Point(Memory, "_write", "before"),
    "before-commit": Point(Reader, "commit", "before"),
    "after-commit": Point(Reader, "commit", "after"),
    "revoked": Point(_Assignments, "on_partitions_revoked", "before"),
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


class Lives:
    """One life after the other, until SIGTERM; whichever moment that comes in."""

    def __init__(self) -> None:
        self._child = 0
        self._over = False
        signal.signal(signal.SIGTERM, self._end)

    def live(self, life: Callable[[], None]) -> bool:
        """One of them, in a child; whether it was killed."""
        self._child = _born(life)
        if self._over:
            os.kill(self._child, signal.SIGKILL)
        _, status = os.waitpid(self._child, 0)
        self._child = 0
        if self._over:
            sys.exit(0)
        return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL

    def _end(self, *_: object) -> None:
        self._over = True
        if self._child:
            with suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)


def main() -> None:
    """Live again and again."""
    given, lives = _given(), Lives()
    service, chance = SERVICES[given.service], random.Random(given.seed)
    connect(os.environ[f"LINLI_MONGO_{service.name.upper()}"])  # imports what each life would import; nothing connects
    while True:
        after = given.after or chance.randint(1, 4)
        killed = lives.live(partial(_live, service, given.role, POINTS[given.die_at], after))
        sys.stderr.write("life: died\n" if killed else "life: ended\n")
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
