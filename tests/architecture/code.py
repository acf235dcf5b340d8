"""Our own source, parsed once: what the checks of its shape look at."""

import ast
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One file of ours."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Its path from the top of the project."""
        return self.path.relative_to(ROOT).as_posix()

    def functions(self) -> Iterator[Function]:
        """Every function, also methods and inner ones."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def classes(self) -> Iterator[ast.ClassDef]:
        """Every class."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))


def sources(*folders: str) -> tuple[Source, ...]:
    """All files of these folders, tests included where they are named."""
    return tuple(_source(file) for folder in folders for file in sorted((ROOT / folder).rglob("*.py")))


@cache
def _source(file: Path) -> Source:
    return source_of(file.read_text("utf-8"), file)


def source_of(text: str, path: Path = ROOT / "services" / "made_up.py") -> Source:
    """Text as if it stood in a file; by default in one that is not there."""
    # Before CPython 3.11.8 and 3.12.2, code that the garbage collector runs meanwhile may make the parser fail with
    # SystemError (gh-106905).
    collects = gc.isenabled()
    gc.disable()
    try:
        return Source(path, text, ast.parse(text))
    finally:
        if collects:
            gc.enable()


def length(function: Function) -> int:
    """How many lines its body has, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 1
    return (body[-1].end_lineno or 0) - body[0].lineno + 1
