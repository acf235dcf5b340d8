"""Sizes, names and docstrings: what keeps a use case readable in four short files."""

import ast
import re
from dataclasses import replace

import pytest

from tests.architecture.code import ROOT, source_of, sources
from tests.architecture.figures import OURS, duplicates, of_duplicates, of_files, of_functions


def test_functions_are_short() -> None:
    assert [str(figure) for figure in of_functions() if not figure.holds] == []


def test_files_are_short() -> None:
    assert [str(figure) for figure in of_files() if not figure.holds] == [], "a file that wants more is two"


def test_no_lines_are_repeated() -> None:
    assert [str(figure) for figure in of_duplicates() if not figure.holds] == []


def test_repeated_lines_are_found_and_imports_and_comments_do_not_count() -> None:
    lines = [f"x{number} = {number}" for number in range(7)]
    other = ["import ast", lines[0], "# said once", "", "    (", *lines[1:]]
    files = {"a.py": ["import ast", *lines], "b.py": other, "c.py": ["import ast", *lines[:5]]}
    texts = {name: "\n".join(said) for name, said in files.items()}
    written = tuple(replace(source_of("import ast", ROOT / name), text=text) for name, text in texts.items())
    assert list(duplicates(written)) == ["b.py:2 ~ a.py:2"]


BANNED = re.compile(r"(Service|Manager|Helper|Util|Utils|Base|Impl)(?![a-z])")
STATED = {"Service"}
"""What a service consists of is called a service: the one thing the word stands for here."""


def test_no_class_has_a_name_that_says_nothing() -> None:
    names = {c.name: s.name for s in sources(*OURS, "tests") for c in s.classes()}
    assert {n: f for n, f in names.items() if BANNED.search(n) and n not in STATED} == {}


def test_no_file_has_a_name_that_says_nothing() -> None:
    banned = re.compile(r"(^|_)(utils?|helpers?|managers?|base|impl|common|misc)($|_)")
    assert [s.name for s in sources(*OURS, "tests") if banned.search(s.path.stem)] == []


def test_every_module_says_in_one_line_what_lives_here() -> None:
    lacking = []
    for source in sources(*OURS, "tests"):
        first = (ast.get_docstring(source.tree) or "").split("\n")[0]
        if not first.strip():
            lacking.append(source.name)
    assert lacking == []


def test_public_functions_and_classes_of_the_services_are_documented() -> None:
    lacking = []
    for source in sources("services"):
        for node in source.tree.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if not node.name.startswith("_") and not ast.get_docstring(node) and not _speaks(node):
                lacking.append(f"{source.name}:{node.name}")
    assert lacking == []


def _speaks(node: ast.AST) -> bool:
    """A refusal has its text under its code, so a docstring would say it twice."""
    return isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Refusal" for base in node.bases)


def test_nothing_is_imported_inside_a_function() -> None:
    inside = [
        f"{source.name}:{function.name}"
        for source in sources(*OURS, "tests")
        for function in source.functions()
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function))
    ]
    assert inside == []


ALLOWED_AT_IMPORT = (
    ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign,
    ast.Expr, ast.If,
)  # fmt: skip


def test_nothing_but_definitions_runs_on_import() -> None:
    for source in sources("services"):
        for node in source.tree.body:
            assert isinstance(node, ALLOWED_AT_IMPORT), f"{source.name}:{node.lineno}"
            if isinstance(node, ast.If):
                assert "__name__" in ast.dump(node.test) or "TYPE_CHECKING" in ast.dump(node.test), source.name
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                assert source.path.name == "api.py", f"{source.name}:{node.lineno}"


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "HACK"])
def test_nothing_is_left_for_later(word: str) -> None:
    this = "tests/architecture/test_shape.py"
    assert [s.name for s in sources(*OURS, "tests") if re.search(rf"\b{word}\b", s.text) and s.name != this] == []


def test_tests_are_sentences() -> None:
    short = [
        f"{source.name}:{function.name}"
        for source in sources("tests")
        for function in source.functions()
        if function.name.startswith("test_") and function.name.count("_") < 2
    ]
    assert short == []
