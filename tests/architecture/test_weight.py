"""What a web or a worker loads: a library that only some settings or commands need is memory of every process."""

import re
import subprocess
import sys

import pytest

from services.chassis.operations import operate
from services.chassis.telemetry.lazy import lazy_import
from tests.architecture.code import ROOT, sources

ONLY_WHERE_ASKED_FOR = ("opentelemetry.sdk", "opentelemetry.exporter", "services.chassis.operations.operate")


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


def test_a_command_that_starts_nothing_loads_nothing_of_others_nor_what_starts_a_stack() -> None:
    unwanted = {"deploy.local.starting", "deploy.cli.seed", "aiohttp", "aiokafka", "jinja2"}
    assert loaded("deploy.cli.main, deploy.cli.status") & unwanted == set()


def test_nothing_else_is_loaded_late() -> None:
    code = {source.name: source.text for source in sources("services", "deploy")}
    importing = {name for name, text in code.items() if "import_module" in text}
    assert importing == {"deploy/cli/main.py", "services/chassis/telemetry/lazy.py"}
    called = {name: re.findall(r"(?<!def )lazy_import\((.*?)\)", text) for name, text in code.items()}
    named = {name: calls for name, calls in called.items() if calls}
    assert named == {
        "services/chassis/http/auth.py": ['"services.chassis.http.fetching", "json_at"'],
        "services/chassis/runtime/entry.py": ['"services.chassis.operations.operate", "run"'],
        "services/chassis/operations/operate.py": ["*WORK[request.operation]"],  # of its table
        "services/chassis/storage/mongo.py": ["module, name"],  # of the two drivers
        "deploy/local/stack.py": ['"deploy.local.starting", "Starting"'],
        "services/chassis/telemetry/tracing.py": ['"services.chassis.telemetry.exporting", "provider"'],
    }


def test_every_operation_is_where_its_table_says() -> None:
    for name, place in operate.WORK.items():
        assert callable(lazy_import(*place)), name
