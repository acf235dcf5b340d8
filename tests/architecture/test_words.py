"""Names are the field's terms (docs/glossary.md): the names that they replaced do not come back."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.code import ROOT, Source, source_of, sources

CODE = ("services", "deploy", "docs", "tests")

EVERYWHERE = {
    "House": "Container",
    "house": "container",
    "as_house": "as_system",
    "open_house": "open_container",
    "own_context": "system_context",
    "Witness": "AuditRecorder",
    "Gate": "ConcurrencyLimiter",
    "Bell": "ChangeNotifier",
    "rang": "wait",
    "Together": "Combiner",
    "Looks": "by_ids",
    "Untold": "UnauditedAccess",
    "Moved": "PartitionsReassigned",
    "Wish": "DesiredState",
    "Orders": "ConsumerControl",
    "Happening": "Occurrence",
    "Telling": "NotifyReaction",
    "Letter": "Draft",
    "Rung": "EscalationLevel",
    "rungs": "levels",
    "ladder": "escalation_path",
    "Bar": "Precondition",
    "lifted": "parse_upcast",
    "gathers": "linger",
    "climbs_from": "escalates_from",
    "climbs_at": "escalates_at",
    "Bells": "InboxSubscribers",
    "told_once": "check_messages",
    "obeyed": "wait_for_members",
    "hold_key": "set_key",
    "told_at": "reported_at",
    "NotTaken": "SendFailed",
    "Hearing": "ResidentFeedback",
    "Entrance": "SignInMethod",
    "stood_hours": "paused_hours",
    "respond_anew": "new_respond_by",
    "stand_down": "lease_lost",
    "expect_held": "run_guard",
    "told": "what it is: result, event, notices",
    "wish": "desired",
    "wishes": "preferences, choice",
    "door": "route",
    "doors": "routes",
    "Desk": "CommandSender",
    "desk": "sender",
    "Cast": "Callers",
    "Fate": "PlannedOutcome",
    "fate": "planned",
    "Outpost": "NotifyLoad",
}
"""Whole identifiers that stand nowhere in the code, each with the term that is used instead."""

AS_DEFINITION = {
    "part": "dependency",
    "both": "gather_two",
    "bring": "prefetch_keys",
    "stands": "is_entitled",
    "turn": "generation",
    "Place": "TopicPartition or AreaCopy",
    "hold": "acquire, contains, remember: what it does",
    "Told": "TimelineEvent",
    "Line": "ServerEvent or EventDisplay",
    "wish": "desired",
    "resting": "paused",
}
"""Ordinary words that name no function, method or class; a variable of such a name says what it holds."""


def identifiers(source: Source) -> Iterator[str]:
    """Every name that a file defines or uses, whole; words in texts and comments are none."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.keyword(arg=str(name)):
                yield name
            case _:
                continue


def definitions(source: Source) -> Iterator[str]:
    """The names of its functions, methods and classes."""
    yield from (function.name for function in source.functions())
    yield from (one.name for one in source.classes())


def test_no_identifier_is_one_that_a_term_replaced() -> None:
    found = {(source.name, name.strip("_")) for source in sources(*CODE) for name in identifiers(source)}
    assert [f"{file}: {name} → {EVERYWHERE[name]}" for file, name in sorted(found) if name in EVERYWHERE] == []


def test_no_function_or_class_is_named_by_an_ordinary_word_that_a_term_replaced() -> None:
    found = {(source.name, name) for source in sources("services", "deploy", "tests") for name in definitions(source)}
    assert [f"{file}: {name} → {AS_DEFINITION[name]}" for file, name in sorted(found) if name in AS_DEFINITION] == []


IN_TEST_NAMES = re.compile(
    r"_(told|doors?|house|climb(s|ed)?|whoever|anew|ladder|rungs?|letter|desk|wish(es|ed)?|fates?)(_|$)"
)


def test_names_of_tests_are_in_plain_words() -> None:
    found = [(one.name, name) for one in sources("tests") for name in definitions(one) if name.startswith("test_")]
    assert [f"{file}: {name}" for file, name in found if IN_TEST_NAMES.search(name)] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.stem)
def test_no_identifier_on_a_page_is_one_that_a_term_replaced(page: Path) -> None:
    quoted = {name for code in re.findall(r"`([^`\n]+)`", page.read_text("utf-8")) for name in re.findall(r"\w+", code)}
    assert sorted(name for name in quoted if name in EVERYWHERE) == []


IN_COMMENTS = re.compile(
    r"\b(whoever|of the house|the house itself|eyes of|anew|rung|trouble of|thereby|until told)\b"
    r"|(?<![\w-])so (many|long),? ",
    re.IGNORECASE,
)
"""Words of an English of our own, which stop a reader whose second language is English."""


def comments(source: Source) -> Iterator[tuple[int, str]]:
    """(line, text) of every comment and docstring."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.string.startswith('"""')):
            yield token.start[0], token.string


def test_comments_are_in_plain_words() -> None:
    found = [(one.name, line, text) for one in sources("services", "deploy") for line, text in comments(one)]
    assert [f"{file}:{line}" for file, line, text in found if IN_COMMENTS.search(text)] == []


FOR_OPERATORS = re.compile(
    r"\b(whoever|obey(s|ed)?|[Mm]end(s|ed)?|house|anew|cannot be told|cannot be looked at|gone on with|at rest|"
    r"go(es)? on|is no (phone|time|port|entry|event)|Nothing is called)\b"
)
"""Words that an operator would stop at, each with a plainer one in its place."""


def sentences(source: Source) -> Iterator[tuple[int, str]]:
    """(line, text) of every text of several words, also of docstrings: the help of a command is one."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def test_what_operators_read_is_in_plain_words() -> None:
    read = sources("deploy/cli", "deploy/local", "services/chassis/operations")
    found = [(one.name, line, text) for one in read for line, text in sentences(one)]
    assert [f"{file}:{line}" for file, line, text in found if FOR_OPERATORS.search(text)] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("class Gate: ...", "Gate"),
        ("ctx.house.mongo", "house"),
        ("run(gathers=1)", "gathers"),
        ("def f(ladder: int) -> None: ...", "ladder"),
        ("from a import Bell", "Bell"),
    ],
)
def test_a_name_is_found_wherever_it_stands(code: str, found: str) -> None:
    assert found in set(identifiers(source_of(code)))


def test_words_in_texts_are_free() -> None:
    code = '"""A house with a Gate."""  # part of both'
    assert set(identifiers(source_of(code))) == set()
