"""Texts are data: each thing that is said has a text in every language, with the placeholders that the code fills."""

import ast
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from deploy.gateway import problems as gateway
from docs.generate.catalogue import SERVICES, TEXTS, refusals
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.texts import placeholders
from services.chassis.domain.values import PATTERNS
from services.chassis.runtime.texts import load
from services.contracts.members.areas import Level
from services.contracts.members.organisations import OrganisationKind
from services.contracts.members.roles import Role
from services.contracts.requests.cases import EscalationCause
from services.contracts.requests.catalogue import FieldKind
from services.requests.cases.model import Case
from services.requests.cases.states.model import State
from services.requests.cases.steps.model import Step
from tests.architecture.code import Source, source_of, sources

OF_PROCESSES = {**{name: load(service.texts) for name, service in SERVICES.items()}, "gateway": gateway.texts()}
NAMED = {
    "titles": {kind.value for kind in Kind},
    "roles": {*(role.value for role in Role), SYSTEM},
    "states": {state.value for state in State},
    "steps": {step.value for step in Step},
    "timeline": {event.__name__ for event in Case.events.values()},
    "patterns": set(PATTERNS.values()),
    "causes": {cause.value for cause in EscalationCause},
    "levels": {level.value for level in Level},
    "organisation-kinds": {kind.value for kind in OrganisationKind},
    "field-kinds": {kind.value for kind in FieldKind},
    "months": {str(month) for month in range(1, 13)},
}
"""Sections whose keys are the values of a table in the code."""
_CHOOSING = re.compile(
    r"""(==|!=|\bin\b)\s*\(?["'](zh|en)["']|["'](zh|en)["']\s*(==|!=)|["']zh["'],\s*["']en["']|["']en["'],\s*["']zh["']"""
)


@pytest.mark.parametrize("name", sorted(OF_PROCESSES))
def test_every_text_is_there_in_every_language_of_ours(name: str) -> None:
    texts = OF_PROCESSES[name]
    assert texts.languages == ("zh", "en")
    assert texts.missing() == {}


def test_every_refusal_has_a_text_in_its_own_service_and_no_text_is_left_over() -> None:
    assert TEXTS.keys("refusals") == {kind.code() for kind in refusals()}
    for name, service in SERVICES.items():
        texts = load(service.texts)
        lacking = [kind.code() for kind in _of(f"services.{name}.") if kind.code() not in texts.keys("refusals")]
        assert lacking == [], name


@pytest.mark.parametrize("section", sorted(NAMED))
def test_every_name_of_a_table_has_a_text_and_no_text_is_left_over(section: str) -> None:
    assert TEXTS.keys(section) == NAMED[section]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_third_language_is_one_file_for_all_services(tmp_path: Path, name: str) -> None:
    text = (resources.files("services") / "texts" / "en.toml").read_text("utf-8")
    (tmp_path / "texts").mkdir()
    translated = re.sub(r'^([\w-]+ = "+\n?)(?!, ")', r"\1¤", text, flags=re.MULTILINE)
    (tmp_path / "texts" / "mn.toml").write_text(translated, "utf-8")
    texts, ours = load(SERVICES[name].texts, tmp_path), load(SERVICES[name].texts)
    assert texts.languages == ("zh", "en", "mn")
    assert texts.missing() == {}
    for section in ours.sections() - {"lists"}:
        for key in ours.keys(section):
            assert texts.get(section, key, "mn") == f"¤{ours.get(section, key, 'en')}"
            assert texts.get(section, key, "zh") == ours.get(section, key, "zh")


def test_what_is_said_to_people_in_chinese_is_in_files_of_texts() -> None:
    """A string of the code with Chinese in it is a text in the wrong place; docstrings and examples say nothing."""
    found = [f"{source.name}:{node.lineno}" for source in sources("services") for node in _chinese(source)]
    assert found == []


def test_no_code_chooses_between_languages_or_lists_them() -> None:
    found = [
        f"{source.name}:{number}"
        for source in sources("services")
        for number, line in enumerate(source.text.splitlines(), 1)
        if _CHOOSING.search(line)
    ]
    assert found == []


def test_every_refusal_is_raised_with_the_facts_that_fill_its_text() -> None:
    codes = {kind.__name__: kind for kind in refusals()}
    wrong, seen = [], 0
    for source in sources("services"):
        for name, given in _raised(source, set(codes)):
            seen += 1
            text = TEXTS.get("refusals", codes[name].code(), "zh") or ""
            if given != {placeholder.partition(":")[0] for placeholder in placeholders(text)} | (
                given & {"retry_after"}
            ):
                wrong.append(f"{source.name}: {name}({', '.join(sorted(given))}) but {text}")
    assert wrong == []
    assert seen > 60


def test_a_check_of_the_facts_sees_what_is_missing() -> None:
    code = "raise Stale(given=1)\nStale\nother.Stale(given=1, current=2)\n"
    found = list(_raised(source_of(code), {"Stale"}))
    assert found == [("Stale", {"given"}), ("Stale", {"given", "current"})]


def _of(package: str) -> list[type[Refusal]]:
    return [kind for kind in refusals() if kind.__module__.startswith(package)]


def _raised(source: Source, names: set[str]) -> Iterator[tuple[str, set[str]]]:
    """Every refusal that is made, with the names of its facts; not those that are made of facts in a mapping."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            keywords = {keyword.arg for keyword in node.keywords}
            if name in names and None not in keywords:
                yield name, {keyword for keyword in keywords if keyword is not None}


def _chinese(source: Source) -> Iterator[ast.Constant]:
    allowed = {id(inner) for node in ast.walk(source.tree) for inner in _silent(node)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and id(node) not in allowed and re.search("[\u4e00-\u9fff]", str(node.value)):
            yield node


def _silent(node: ast.AST) -> Iterator[ast.AST]:
    """What is inside a docstring or an example of an API field."""
    if isinstance(node, ast.Expr) or (isinstance(node, ast.keyword) and node.arg == "examples"):
        yield from ast.walk(node)
