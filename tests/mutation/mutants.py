"""Mutants of a source file: mutmut's operators, and three of ours, on all code and not only inside functions."""

import difflib
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.mutators import mutation_operators

Operator = Callable[[Any], Iterable[cst.CSTNode]]

_NEVER = (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom)
_WORDS = {"Words", "Names"}
"""What is said to people: a test that repeats a text asserts nothing."""
_ONLY_TYPES = {"assert_never", "cast", "TypeVar"}
"""What only mypy looks at."""
_NEVER_COMES = m.IndentedBlock([m.SimpleStatementLine([m.Expr(m.Call(m.Name("assert_never")))])])
_LOGS = {"log", "logger"}
_NAME_LIKE = re.compile(r"""["'][\w.:/-]+["']""", re.ASCII)


@dataclass(frozen=True)
class Mutant:
    """One small change of one file."""

    file: Path
    line: int
    lines: range
    """The statement that it changes, or the head of it: where a test must have been to notice."""
    operator: str
    at_import: bool
    """Whether what it changes runs when the module is imported, and not when a test calls it."""
    code: str
    before: str
    after: str

    @property
    def change(self) -> str:
        """The lines that differ, in two or more lines of a diff."""
        lines = difflib.ndiff(self.before.split("\n"), self.after.split("\n"))
        return "\n".join(line for line in lines if line[0] in "+-")


@dataclass(frozen=True)
class Candidate:
    """A place where a file can be changed, and how; the changed file is made only where it is wanted."""

    file: Path
    module: cst.Module
    old: cst.CSTNode
    new: cst.CSTNode
    operator: str
    line: int
    lines: range
    at_import: bool

    def mutant(self) -> Mutant:
        """The file with this change."""
        changed = self.module.deep_replace(self.old, self.new)
        assert isinstance(changed, cst.Module)
        before, after = self.module.code.split("\n"), changed.code.split("\n")
        head = _alike(before, after)
        tail = _alike(before[:head:-1], after[:head:-1])
        old, new = ("\n".join(lines[head : len(lines) - tail]) for lines in (before, after))
        return Mutant(self.file, self.line, self.lines, self.operator, self.at_import, changed.code, old, new)


def candidates(file: Path) -> list[Candidate]:
    """Every change of a file that there is, in the order of its lines."""
    wrapper = MetadataWrapper(cst.parse_module(file.read_text("utf-8")))
    finder = _Finder(file, wrapper.module)
    wrapper.visit(finder)
    return finder.found


def sampled(found: Sequence[Candidate], most: int | None, seed: int) -> Sequence[Candidate]:
    """So many of them by chance, in their order."""
    if most is None or most >= len(found):
        return found
    return [found[index] for index in sorted(random.Random(seed).sample(range(len(found)), most))]


def _alike(some: Sequence[str], others: Sequence[str]) -> int:
    """How many are the same at the beginning."""
    return len([*takewhile(lambda pair: pair[0] == pair[1], zip(some, others, strict=False))])


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, file: Path, module: cst.Module) -> None:
        super().__init__()
        self.found: list[Candidate] = []
        self._file, self._module = file, module
        self._statements: list[cst.CSTNode] = []
        self._bodies = 0
        self._parents: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, _NEVER) or _is_of_words(node) or self._is_alias(node):
            return False
        if isinstance(node, cst.BaseSmallStatement | cst.BaseCompoundStatement):
            self._statements.append(node)
        self._bodies += self._opens_body(node)
        self._parents.append(node)
        self.found += self._places(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if not self._parents or self._parents[-1] is not original_node:
            return
        self._parents.pop()
        self._bodies -= self._opens_body(original_node)
        if self._statements and self._statements[-1] is original_node:
            self._statements.pop()

    def _opens_body(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Lambda):
            return True
        return isinstance(node, cst.IndentedBlock) and isinstance(self._parents[-1:][0], cst.FunctionDef)

    def _is_alias(self, node: cst.CSTNode) -> bool:
        """Whether a name is given to a type: only mypy looks at it."""
        if not isinstance(node, cst.Assign) or self._bodies or not isinstance(node.targets[0].target, cst.Name):
            return False
        union = isinstance(node.value, cst.BinaryOperation) and isinstance(node.value.operator, cst.BitOr)
        name = node.targets[0].target.value.lstrip("_")
        return name[:1].isupper() and not name.isupper() and (union or isinstance(node.value, cst.Subscript))

    def _places(self, node: cst.CSTNode) -> Iterator[Candidate]:
        for wanted, operator in (*mutation_operators, *_OURS):
            if isinstance(node, wanted):
                name = operator.__name__.removeprefix("operator_").replace("_", "-")
                for one in _worth_it(node, operator):
                    place = (self._line(node), self._head(), not self._bodies)
                    yield Candidate(self._file, self._module, node, one, name, *place)

    def _line(self, node: cst.CSTNode) -> int:
        position = self.get_metadata(PositionProvider, node, None)
        return position.start.line if position else self._head().start

    def _head(self) -> range:
        statement = self._statements[-1]
        position = self.get_metadata(PositionProvider, statement)
        last = position.end.line
        body = getattr(statement, "body", None)
        if isinstance(body, cst.BaseSuite):
            last = max(position.start.line, self.get_metadata(PositionProvider, body).start.line - 1)
        return range(position.start.line, last + 1)


def _worth_it(node: cst.CSTNode, operator: Operator) -> list[cst.CSTNode]:
    match node:
        case cst.SimpleString(value=value):
            # Something round a name is enough: upper and lower case would find the same again.
            return [*operator(node)][:1] if _NAME_LIKE.fullmatch(value) else []
        case cst.Match(cases=cases):
            # The case that never comes cannot be missed.
            never = [m.matches(case.body, _NEVER_COMES) for case in cases]
            return [new for new, out in zip(operator(node), never, strict=False) if not out]
    return [*operator(node)]


def _is_of_words(node: cst.CSTNode) -> bool:
    match node:
        case cst.Call(func=cst.Name(value=name)):
            return name in _WORDS | _ONLY_TYPES
        case cst.Call(func=cst.Attribute(value=cst.Name(value=name))):
            return name in _LOGS
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]):
            return name in {"zh", "en", "__all__"}
    return False


def operator_if(node: cst.If) -> Iterable[cst.CSTNode]:
    """Turn a condition round."""
    yield node.with_changes(test=_not(node.test))


def operator_filter(node: cst.CompIf) -> Iterable[cst.CSTNode]:
    """Turn the filter of a comprehension round."""
    yield node.with_changes(test=_not(node.test))


def operator_return(node: cst.Return) -> Iterable[cst.CSTNode]:
    """Return nothing."""
    if node.value is not None and not (isinstance(node.value, cst.Name) and node.value.value == "None"):
        yield node.with_changes(value=cst.Name("None"))


def _not(test: cst.BaseExpression) -> cst.BaseExpression:
    inner = test.with_changes(lpar=[cst.LeftParen(), *test.lpar], rpar=[*test.rpar, cst.RightParen()])
    return cst.UnaryOperation(operator=cst.Not(), expression=inner)


_OURS: Sequence[tuple[type[cst.CSTNode], Operator]] = (
    (cst.If, operator_if),
    (cst.CompIf, operator_filter),
    (cst.Return, operator_return),
)
