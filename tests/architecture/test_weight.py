"""What a web or a worker loads: a library that only some settings or commands need is memory of every process."""

import subprocess
import sys

import pytest

from services.chassis.ops import entry
from tests.architecture.code import ROOT

ONLY_WHERE_ASKED_FOR = ("opentelemetry.sdk", "opentelemetry.exporter", "services.chassis.ledger.command")


def loaded(module: str) -> set[str]:
    """What is loaded with this module, in a process of its own."""
    script = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("service", "unwanted"),
    [("members", ("aiohttp",)), ("requests", ("aiohttp",)), ("notify", ())],
)
def test_a_process_loads_nothing_that_it_may_never_need(service: str, unwanted: tuple[str, ...]) -> None:
    assert loaded(f"services.{service}.__main__") & {*ONLY_WHERE_ASKED_FOR, *unwanted} == set()


def test_every_command_is_where_its_table_says() -> None:
    for name in entry._COMMANDS:
        assert callable(entry._command(name)), name
