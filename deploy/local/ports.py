"""The ports of a stack: their defaults and settings, and who holds a busy one."""

import random
import socket
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields

import psutil

from deploy.local.trouble import Trouble

# Below the kernel's range of ports for outgoing connections.
FREE_RANGE = range(20000, 32000)
HIGHEST = 65535


@dataclass(frozen=True)
class Ports:
    """One port for each listener, all on loopback. The setting is LINLI_PORT_ and the field in capitals."""

    gateway: int = 8080
    gateway_metrics: int = 8090
    kafka: int = 19092
    kafka_controller: int = 19093
    kafka_2: int = 19094
    kafka_controller_2: int = 19095
    kafka_3: int = 19096
    kafka_controller_3: int = 19097
    mongo_members: int = 27117
    mongo_members_2: int = 27127
    mongo_members_3: int = 27137
    mongo_requests: int = 27118
    mongo_requests_2: int = 27128
    mongo_requests_3: int = 27138
    mongo_notify: int = 27119
    mongo_notify_2: int = 27129
    mongo_notify_3: int = 27139
    members_web: int = 8101
    requests_web: int = 8102
    notify_web: int = 8103
    members_worker: int = 8111
    requests_worker: int = 8112
    notify_worker: int = 8113
    members_web_2: int = 8121
    requests_web_2: int = 8122
    notify_web_2: int = 8123
    members_worker_2: int = 8131
    requests_worker_2: int = 8132
    notify_worker_2: int = 8133
    members_web_3: int = 8141
    requests_web_3: int = 8142
    notify_web_3: int = 8143
    members_worker_3: int = 8151
    requests_worker_3: int = 8152
    notify_worker_3: int = 8153
    members_web_4: int = 8161
    requests_web_4: int = 8162
    notify_web_4: int = 8163
    members_worker_4: int = 8171
    requests_worker_4: int = 8172
    notify_worker_4: int = 8173

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Ports":
        """The defaults, raised by LINLI_PORT_BASE, each overridden by its own setting; Trouble if one is not a port."""
        base = _number(given, "LINLI_PORT_BASE", 0)
        return cls(**{f.name: _port(given, setting(f.name), int(str(f.default)) + base) for f in fields(cls)})

    @classmethod
    def free(cls) -> "Ports":
        """A range of free ports, for a stack beside others."""
        names = [field.name for field in fields(cls)]
        for _ in range(200):
            # Not a secret: a random start makes it unlikely that two test runs choose the same range.
            first = random.randrange(FREE_RANGE.start, FREE_RANGE.stop - len(names))  # noqa: S311
            if not any(is_busy(port) for port in range(first, first + len(names))):
                return cls(**{name: first + place for place, name in enumerate(names)})
        raise Trouble(
            f"No {len(names)} free ports in a row between {FREE_RANGE.start} and {FREE_RANGE.stop}: free some."
        )

    def named(self) -> dict[str, int]:
        """Every port by its field's name."""
        return asdict(self)

    def refuse_busy(self, names: Iterable[str]) -> None:
        """Trouble if one of these ports is busy; names port, holder and setting."""
        for name in names:
            port = self.named()[name]
            if is_busy(port):
                raise Trouble(
                    f"Port {port} for {name.replace('_', '-')} is taken by {holder(port)}: stop that, or set "
                    f"{setting(name)} to a free port (LINLI_PORT_BASE=1000 moves all of them)."
                )


def setting(name: str) -> str:
    """The environment variable that sets this port."""
    return f"LINLI_PORT_{name.upper()}"


def is_busy(port: int) -> bool:
    """Whether somebody listens on this port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def holder(port: int) -> str:
    """Who listens on this port, as far as this user may know."""
    pid = next((pid for listening, pid in listeners() if listening == port), None)
    if pid is None:
        return "another process"
    try:
        return f"{psutil.Process(pid).name()} (pid {pid})"
    except psutil.Error:
        return f"pid {pid}"


def listeners() -> list[tuple[int, int | None]]:
    """(port, pid) of every TCP listener; the pid is None if this user may not see it."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return []
    return [(c.laddr.port, c.pid) for c in connections if c.status == psutil.CONN_LISTEN and c.laddr]


def _port(given: Mapping[str, str], name: str, default: int) -> int:
    port = _number(given, name, default)
    if not 0 < port <= HIGHEST:
        raise Trouble(f"{name} would be {port}, which is not a port: give a number from 1 to {HIGHEST}.")
    return port


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, "")
    if text and not text.isdecimal():
        raise Trouble(f"{name} is {text!r}: give a number.")
    return int(text) if text else default
