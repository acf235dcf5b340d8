"""The commands that run each kind of process."""

import sys
from collections.abc import Callable

from deploy.local import broker, databases, tools
from deploy.local.layout import Layout
from deploy.local.processes import Kind, Process


def command(layout: Layout, process: Process) -> tuple[str, ...]:
    """The command that supervisord runs for this process."""
    return COMMANDS[process.kind](layout, process)


def _mongo(layout: Layout, process: Process) -> tuple[str, ...]:
    data, port = layout.home.data / process.name, layout.ports.named()[process.port]
    key = layout.key(process.component)
    return databases.command(process.service, data, port, layout.topology.cache_mib, key)


def _service(_: Layout, process: Process) -> tuple[str, ...]:
    return (sys.executable, "-m", f"services.{process.service}", process.kind)


def _gateway(layout: Layout, _: Process) -> tuple[str, ...]:
    quiet = ("--disable-hot-restart", "--concurrency", "2", "--log-level", "warning")
    soon = ("--file-flush-interval-msec", "500")
    return (tools.envoy(), "-c", str(layout.home.run / "envoy.yaml"), *quiet, *soon)


COMMANDS: dict[Kind, Callable[[Layout, Process], tuple[str, ...]]] = {
    "kafka": broker.command,
    "mongo": _mongo,
    "web": _service,
    "worker": _service,
    "gateway": _gateway,
}
