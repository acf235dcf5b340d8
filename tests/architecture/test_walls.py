"""The import rules hold, and a wrong import makes the check fail."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.code import ROOT, source_of, sources

CLOSED = {"__init__", "model", "commands", "api", "queries", "reactions", "timers", "adapters"} | {
    "figures",
    "metrics",
    "settings",
}
TOP = {"__init__", "__main__", "app"}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter in a folder."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_wall_holds() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout[-4000:]


WRONG = {
    "services/members/areas/model.py": "import services.requests.cases.model",
    "services/contracts/notify/messages.py": "import services.members.areas.model",
    "services/chassis/domain/values.py": "import services.chassis.telemetry.metrics",
    "services/chassis/telemetry/lazy.py": "import services.chassis.domain.values",
    "services/chassis/storage/store.py": "import pymongo",
    "services/chassis/storage/archive.py": "import services.chassis.usecase",
    "services/chassis/usecase.py": "import services.chassis.http.problems",
    "services/chassis/http/auth.py": "import services.chassis.runtime.settings",
    "services/chassis/messaging/retry.py": "import services.chassis.schedule.timers",
    "services/chassis/schedule/timers.py": "import services.chassis.runtime.service",
    "services/chassis/runtime/service.py": "import services.chassis.operations.answering",
    "services/requests/catalogue/model.py": "import fastapi",
    "services/members/teams/queries.py": "import services.members.teams.commands",
    "services/members/people/model.py": "import services.members.accounts.model",
    "services/notify/app.py": "import deploy.local",
    "services/requests/app.py": "import aiokafka",
    "deploy/local/home.py": "import services.members.areas.model",
}


def test_one_wrong_import_makes_the_check_fail(tmp_path: Path) -> None:
    for part in ("services", "deploy"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__", "cities"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, wrong in WRONG.items():
        file = tmp_path / name
        file.write_text(f"{file.read_text()}\n{wrong}\n")
    out = lint(tmp_path).stdout.replace("\n", " ")
    assert [name for name in WRONG if f"{name.removesuffix('.py').replace('/', '.')} -> " not in out] == []


@pytest.mark.parametrize("service", ["members", "requests", "notify"])
def test_a_sub_domain_has_no_other_files_than_those_that_everybody_knows(service: str) -> None:
    folder = ROOT / "services" / service
    sub_domains = list(_packages(folder))
    assert {file.stem for file in folder.glob("*.py")} <= TOP
    assert sub_domains
    for sub_domain in (*sub_domains, *(part for whole in sub_domains for part in _packages(whole))):
        files = {file.stem for file in sub_domain.glob("*.py")}
        assert files <= CLOSED, f"{sub_domain.name}: {files - CLOSED}"
        assert "__init__" in files


@pytest.mark.parametrize("service", ["members", "requests", "notify"])
def test_a_sub_domain_has_at_most_one_level_of_parts(service: str) -> None:
    wholes = _packages(ROOT / "services" / service)
    assert [inner for whole in wholes for part in _packages(whole) for inner in _packages(part)] == []


def _packages(folder: Path) -> Iterator[Path]:
    return (inner for inner in folder.iterdir() if inner.is_dir() and any(inner.rglob("*.py")))


def test_journeys_know_nothing_of_ours_but_the_world_they_run_in() -> None:
    for source in sources("tests/journeys"):
        for node in ast.walk(source.tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "services"], source.name


def test_only_app_puts_things_together() -> None:
    for source in sources("services"):
        makes = [n for n in ast.walk(source.tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "Service"]
        assert not makes or source.path.name == "app.py", source.name


KNOWN = re.compile(r"(?:services\.|mongo_|'(?=\w+'))(members|requests|notify)\b")
GROUPS = {"services/chassis/messaging/kafka/cluster.py", "services/chassis/messaging/control.py"}
"""A consumer group has members."""


class WithoutDocstrings(ast.NodeTransformer):
    """Docstrings may name a service as an example."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """A text that nobody uses is a docstring."""
        return ast.Pass() if isinstance(node.value, ast.Constant) else node


def test_the_chassis_knows_no_service() -> None:
    """A fourth one needs no change here."""
    chassis = sources("services/chassis")
    assert len(chassis) > 50
    for source in chassis:
        named = set(KNOWN.findall(ast.unparse(WithoutDocstrings().visit(source_of(source.text).tree))))
        assert named <= ({"members"} if source.name in GROUPS else set()), source.name
