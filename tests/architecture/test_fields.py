"""Fields are named one by one, and a name in a text is one of the model's: what is copied by equal names shows a field
that nobody meant to show, and a wrong name in a query finds nothing."""

import ast
import importlib
from collections.abc import Iterator

import pytest

from services.chassis.domain.entity import Index, Stored
from services.chassis.domain.scope import PUBLIC, SYSTEM, Actor
from services.contracts.members.roles import Role
from tests.architecture.code import Source, source_of, sources
from tests.architecture.test_use_cases import SERVICES as APPLICATIONS

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
    assert list(copied(source_of(wrong)))


KINDS = [kind for service in APPLICATIONS.values() for kind in (*service.entities, *service.copies)]
SPELLED = ("state.", "$state.")
KNOWS_THE_NAME = {"services/chassis/domain/entity.py", "services/chassis/schedule/timers.py"}


def spelled(source: Source) -> Iterator[str]:
    """Texts that name a field of a stored state."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(SPELLED):
            yield f"{source.name}:{node.lineno}: {node.value}"


def named(source: Source) -> Iterator[tuple[str, str]]:
    """(class, field) for every field that is named in a text: of queries, of what is visible, of timers."""
    for around in [source.tree, *source.classes()]:
        for node in ast.walk(around):
            match node:
                case ast.Call(func=ast.Attribute(ast.Name(name), "where"), keywords=keywords) if name[:1].isupper():
                    yield from ((name, keyword.arg) for keyword in keywords if keyword.arg)
                case ast.Call(func=ast.Attribute(ast.Name(name), "stored_name"), args=[ast.Constant(str(field))]):
                    if name != "cls" or isinstance(around, ast.ClassDef):
                        yield around.name if name == "cls" and isinstance(around, ast.ClassDef) else name, field
                case ast.Call(func=ast.Name("Timer"), args=[_, ast.Name(name), ast.Constant(str(field)), *_]):
                    yield name, field


def unknown(source: Source) -> Iterator[str]:
    """The named fields that their class does not have."""
    module = importlib.import_module(source.name.removesuffix(".py").replace("/", "."))
    for name, field in named(source):
        kind = getattr(module, name)
        try:
            kind.stored_name(field)
        except TypeError as error:
            yield f"{source.name}: {error}"


def test_no_field_of_a_state_is_spelled_by_hand() -> None:
    found = [one for source in sources("services") if source.name not in KNOWS_THE_NAME for one in spelled(source)]
    assert found == []


def test_every_field_that_is_named_in_a_query_is_one_of_its_class() -> None:
    files = [source for source in sources(*SERVICES) if [*named(source)]]
    assert len(files) > 8
    assert [one for source in files for one in unknown(source)] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_an_actor_may_see_is_asked_by_known_fields(kind: type[Stored]) -> None:
    for role in (PUBLIC, SYSTEM, *Role):
        seen = kind.visible(Actor("a", frozenset({role}), ("1507",), ("organisation_1",), "person_1"))
        for name, _ in seen.any_of:
            assert kind.stored_name(name.removeprefix("state.")) == name


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("Staff.where(organisation=1)", ("Staff", "organisation")),
        ('Case.stored_name("stat")', ("Case", "stat")),
        ('class Case:\n    def f(cls): cls.stored_name("stat")', ("Case", "stat")),
        ('Timer("clock", Case, "next_tick", tick)', ("Case", "next_tick")),
    ],
)
def test_a_field_is_found_wherever_it_is_named(wrong: str, field: tuple[str, str]) -> None:
    assert field in {*named(source_of(wrong))}


def test_a_spelled_field_is_found() -> None:
    wrong = 'find({"state.x": 1}); group(f"$state.{key}")'
    assert len([*spelled(source_of(wrong))]) == 2


def test_an_index_by_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="no field wrong"):
        type("Wrong", (KINDS[0],), {"entity_type": "x", "__module__": __name__, "indexes": (Index(("wrong",)),)})
