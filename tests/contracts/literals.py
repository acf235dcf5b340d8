"""Names that stand in the services' source as texts only: labels of seals, collections, keys of documents."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from types import ModuleType

from tests.architecture.code import Function
from tests.contracts.pieces import parsed

_READS = {"get", "pop", "setdefault"}
_ASKS = {"find_one", "find", "each", "aggregate", "count", "insert", "update", "find_or_make", "bulk", "delete"}
_FORM = re.compile(r"\S*[:|#]\S*")
_FIELD = re.compile(r"[\w$.{}-]+")


def collections() -> set[str]:
    """The collections that are named where the database is asked."""
    return {name for module, call in _calls() if _asks(call) for name in _first(module, call)}


def labels(call: str, place: int, keyword: str) -> set[str]:
    """What is said as this argument of calls of this name, also through functions that only pass it on."""
    known, found = {call: (place, keyword)}, set[str]()
    while True:
        before = len(known)
        for module, function, calls in _functions():
            found |= _passed(module, function, calls, known)
        if len(known) == before:
            return found


@cache
def _functions() -> tuple[tuple[ModuleType, Function, tuple[ast.Call, ...]], ...]:
    """Every function with the calls in it."""
    found = [(module, node) for module, tree in parsed() for node in ast.walk(tree) if isinstance(node, Function)]
    return tuple((m, f, tuple(node for node in ast.walk(f) if isinstance(node, ast.Call))) for m, f in found)


def _passed(
    module: ModuleType, function: Function, calls: Iterable[ast.Call], known: dict[str, tuple[int, str]]
) -> set[str]:
    """What is said in one function; where it is a parameter of it, ``known`` learns of that function."""
    found: set[str] = set()
    parameters = [one.arg for one in (*function.args.posonlyargs, *function.args.args) if one.arg != "self"]
    for call in calls:
        if (given := _argument(call, *known.get(_called(call), (-1, "")))) is None:
            continue
        if isinstance(given, ast.Name) and given.id in parameters:
            known[function.name] = (parameters.index(given.id), given.id)
        found |= set(said(module, given))
    return found


def _argument(call: ast.Call, place: int, keyword: str) -> ast.expr | None:
    by_name = [one.value for one in call.keywords if one.arg == keyword]
    return by_name[0] if by_name else call.args[place] if 0 <= place < len(call.args) else None


def fields() -> set[str]:
    """The keys of all mappings that are written or read by a name in quotes."""
    found = {text for module, tree in parsed() for node in ast.walk(tree) for text in _keys(module, node)}
    return {text for text in found if _FIELD.fullmatch(text)}


def _keys(module: ModuleType, node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Dict(keys=keys):
            yield from (text for key in keys if _quoted(key) and key for text in said(module, key))
        case ast.Subscript(value=value, slice=key) if _quoted(key) and ast.unparse(value) not in ("Literal", "list"):
            yield from said(module, key)
        case ast.Call(func=ast.Attribute(attr=name), args=[key, *_]) if name in _READS and _quoted(key):
            yield from said(module, key)


def forms() -> set[str]:
    """Texts that are put together of parts: causes, ids, natural keys, what a seal is bound to."""
    return {text for text in _texts() if _FORM.fullmatch(text) and len(text) > 1}


def _texts() -> Iterator[str]:
    for module, tree in parsed():
        apart = {id(part) for node in ast.walk(tree) for part in _no_text_of_its_own(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.expr) and _quoted(node) and id(node) not in apart:
                yield from said(module, node)


def _no_text_of_its_own(node: ast.AST) -> list[ast.AST]:
    """Docstrings, and the pieces of a text that is put together."""
    return list(ast.walk(node))[1:] if isinstance(node, ast.JoinedStr | ast.Expr) and not _acts(node) else []


def _acts(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)


def _quoted(node: ast.AST | None) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _calls() -> Iterator[tuple[ModuleType, ast.Call]]:
    for module, tree in parsed():
        yield from ((module, node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def _asks(call: ast.Call) -> bool:
    return _called(call) in _ASKS and "mongo" in ast.unparse(call.func).rpartition(".")[0]


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _first(module: ModuleType, call: ast.Call) -> list[str]:
    return said(module, call.args[0]) if call.args else []


def said(module: ModuleType, node: ast.expr) -> list[str]:
    """The texts that an expression may be, as far as that stands in the source; {} for what does not."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return ["".join(p.value if isinstance(p, ast.Constant) else "{}" for p in parts)]  # type: ignore[misc]
        case ast.IfExp(body=one, orelse=other):
            return said(module, one) + said(module, other)
        case ast.Name(id=name):
            return _text(vars(module).get(name))
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return _text(getattr(vars(module).get(owner), name, None))
    return []


def _text(value: object) -> list[str]:
    return [str(value)] if isinstance(value, str) else []
