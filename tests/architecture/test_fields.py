"""Fields of models are named one by one: what is copied by equal names shows a field that nobody meant to show."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.code import Source, sources

SERVICES = ("services/members", "services/requests", "services/notify")
ALLOWED = {"services/notify/rules/reactions.py: MessageWritten(**)"}


def copied(source: Source) -> Iterator[str]:
    """Where a model gets fields out of the sight of mypy."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd) and "model_fields" in ast.unparse(node):
            yield f"{source.name}: {ast.unparse(node)}"
        if isinstance(node, ast.Call) and any(keyword.arg is None for keyword in node.keywords):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in ("cls", "model_validate", "model_construct") or name[:1].isupper():
                yield f"{source.name}: {name}(**)"


def test_no_model_gets_its_fields_by_equal_names() -> None:
    assert {where for source in sources("services") for where in copied(source) if "model_fields" in where} == set()


def test_models_of_the_services_are_made_field_by_field() -> None:
    assert {where for source in sources(*SERVICES) for where in copied(source)} - ALLOWED == set()


@pytest.mark.parametrize(
    "wrong",
    [
        "SAME = set(View.model_fields) & set(Case.model_fields)",
        "View(**{name: getattr(case, name) for name in SAME})",
        "cls(code=item.id, **dict(item))",
        "contract.CaseFiled(**asked(item))",
    ],
)
def test_what_hides_the_fields_is_found(wrong: str) -> None:
    assert list(copied(Source(sources("services")[0].path, wrong, ast.parse(wrong))))
