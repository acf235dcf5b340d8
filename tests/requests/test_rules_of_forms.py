"""Answers to a form: of the kind, the format and within the bounds that it asks for, and kept as they were meant."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.words import Words
from services.contracts.requests.catalogue import FormField
from services.requests.forms.model import AnswersUnfit, answered, contradictions
from tests.requests.town import field

TODAY = date(2026, 11, 30)
Q = {"field": "q", "label": Words(zh="q", en="q")}


def asking(kind: str, *keys: str, required: bool = True, **more: Any) -> list[FormField]:
    return [FormField.model_validate({**field("q", kind, *keys, required=required), **more})]


def kept(form: list[FormField], answer: Any) -> Any:
    return answered(form, {"q": answer}, TODAY)["q"]


def problems(form: list[FormField], answers: dict[str, Any]) -> list[dict[str, Any]]:
    with pytest.raises(AnswersUnfit) as refused:
        answered(form, answers, TODAY)
    found: list[dict[str, Any]] = refused.value.params["problems"]
    return found


ANSWERS: list[tuple[str, tuple[str, ...], list[Any], list[Any]]] = [
    ("string", (), ["x", "字" * 200], ["字" * 201, 1, True, ["x"]]),
    ("text", (), ["字" * 2000], ["字" * 2001, 1]),
    ("number", (), [0, -1.5, 10**15, -(10**15)], ["1", True, False, 10**15 + 1, -(10**15) - 1, [1], float("1e300")]),
    (
        "datetime",
        (),
        ["2026-11-23", "2026-11-23T08:00:00+08:00"],
        ["tomorrow", 20261123, "2026-13-01", "2026年2月30日"],
    ),
    ("single", ("day", "night"), ["day", "night"], ["noon", ["day"], 1]),
    ("multi", ("day", "night"), [["day"], ["night", "day"]], ["day", ["day", "noon"], ["day", "day"], [["day"]]]),
    ("of_tomorrow", (), ["x"], [1, "字" * 201]),
]


@pytest.mark.parametrize(("kind", "keys", "right", "wrong"), ANSWERS, ids=lambda one: str(one)[:12])
def test_an_answer_is_of_the_kind_that_is_asked_for(
    kind: str, keys: tuple[str, ...], right: list[Any], wrong: list[Any]
) -> None:
    form = asking(kind, *keys)
    assert [kept(form, answer) for answer in right] == right
    for answer in wrong:
        assert problems(form, {"q": answer}) == [{"key": "unfit", **Q, "kind": kind}]


@pytest.mark.parametrize(
    ("kind", "format", "typed", "meant"),
    [
        ("datetime", None, "2026年11月20日", "2026-11-20"),
        ("datetime", None, "2026/11/20", "2026-11-20"),
        ("datetime", "date", "2026.1.5", "2026-01-05"),
        ("datetime", "date", "２０２６－１１－２０", "2026-11-20"),
        ("datetime", None, "2026-11-20T08:30:00Z", "2026-11-20T08:30:00+00:00"),
        ("datetime", None, " 2026-11-20 08:30+08:00", "2026-11-20T08:30:00+08:00"),
        ("string", "phone", "138 0000 0001", "+8613800000001"),
        ("string", "phone", "１３８００００００01", "+8613800000001"),
        ("string", "phone", "0470-8212345", "+864708212345"),
        ("string", None, "三号\u200b楼", "三号楼"),
        ("number", "integer", 3.0, 3.0),
    ],
)
def test_an_answer_is_kept_as_it_was_meant(kind: str, format: str | None, typed: Any, meant: Any) -> None:
    assert kept(asking(kind, format=format), typed) == meant


@pytest.mark.parametrize(
    ("kind", "more", "answer", "problem"),
    [
        ("number", {"minimum": 0}, -3, {"key": "below-number", "bound": 0}),
        ("number", {"maximum": 130}, 999.5, {"key": "above-number", "bound": 130}),
        ("number", {"format": "integer"}, 2.5, {"key": "unformatted", "format": "integer"}),
        ("string", {"format": "phone"}, "12", {"key": "unformatted", "format": "phone"}),
        ("string", {"format": "phone"}, "call me", {"key": "unformatted", "format": "phone"}),
        ("string", {"minimum": 2}, "x", {"key": "below-length", "bound": 2}),
        ("text", {"maximum": 2}, "xyz", {"key": "above-length", "bound": 2}),
        ("datetime", {"maximum": 0}, "2099-01-01", {"key": "late", "bound": "2026-11-30"}),
        ("datetime", {"minimum": 0}, "2026-11-20", {"key": "early", "bound": "2026-11-30"}),
        ("datetime", {"format": "date"}, "2026-11-20T08:00:00Z", {"key": "unformatted", "format": "date"}),
        ("datetime", {}, "2026-11-20T08:00:00", {"key": "zone-missing"}),
        ("datetime", {}, "2026-11-20 08:00", {"key": "zone-missing"}),
        ("string", {}, "。", {"key": "nothing-to-read"}),
        ("string", {}, " ", {"key": "nothing-to-read"}),
        ("text", {}, "路\u202e灯", {"key": "unseen-character", "character": "U+202E", "place": 2}),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence_of_its_own(
    kind: str, more: dict[str, Any], answer: Any, problem: dict[str, Any]
) -> None:
    assert problems(asking(kind, **more), {"q": answer}) == [{**Q, **problem}]


def test_choices_are_counted() -> None:
    form = asking("multi", "a", "b", "c", minimum=2, maximum=2)
    assert kept(form, ["a", "c"]) == ["a", "c"]
    assert problems(form, {"q": ["a"]}) == [{"key": "below-choices", **Q, "bound": 2}]
    assert problems(form, {"q": ["a", "b", "c"]}) == [{"key": "above-choices", **Q, "bound": 2}]


@given(st.integers(-400, 400))
def test_a_day_is_compared_with_today(offset: int) -> None:
    day = date.fromordinal(TODAY.toordinal() + offset).isoformat()
    past, future = asking("datetime", maximum=0), asking("datetime", minimum=0)
    for form, fits in ((past, offset <= 0), (future, offset >= 0)):
        if fits:
            assert kept(form, day) == day
        else:
            assert len(problems(form, {"q": day})) == 1


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.lists(st.text(), max_size=3)))
def test_whatever_is_answered_is_kept_or_refused(answer: Any) -> None:
    for kind in ("string", "text", "number", "datetime"):
        for format in (None, "integer", "phone", "date"):
            form = asking(kind, required=False, format=format, minimum=-5, maximum=50)
            try:
                answered(form, {"q": answer}, TODAY)
            except AnswersUnfit as refused:
                assert len(refused.params["problems"]) == 1


@pytest.mark.parametrize("nothing", [{}, {"q": None}, {"q": ""}, {"q": []}])
def test_what_must_be_answered_is_missing_and_what_may_be_is_not(nothing: dict[str, Any]) -> None:
    assert answered(asking("string", required=False), nothing, TODAY) == {}
    assert problems(asking("string"), nothing) == [{"key": "missing", **Q}]


def test_every_problem_of_a_form_is_reported_at_once_unknown_answers_first() -> None:
    form = [FormField.model_validate(field("age", "number")), FormField.model_validate(field("note", "string"))]
    assert problems(form, {"b": 1, "a": 2, "age": "old"}) == [
        {"key": "unasked", "field": "a"},
        {"key": "unasked", "field": "b"},
        {"key": "unfit", "field": "age", "label": Words(zh="age", en="age"), "kind": "number"},
        {"key": "missing", "field": "note", "label": Words(zh="note", en="note")},
    ]


@pytest.mark.parametrize(
    ("kind", "more", "problem"),
    [
        ("string", {"format": "integer"}, "format-unfit"),
        ("number", {"format": "date"}, "format-unfit"),
        ("text", {"format": "phone"}, "format-unfit"),
        ("number", {"minimum": 3, "maximum": 2}, "bounds-crossed"),
        ("single", {"values": [{"key": "a", "zh": "a", "en": "a"}], "maximum": 1}, "bounds-unfit"),
        ("datetime", {"minimum": -1e6}, "bounds-unfit"),
        ("string", {"values": [{"key": "a", "zh": "a", "en": "a"}]}, "values-unfit"),
        ("single", {"values": []}, "values-unfit"),
    ],
)
def test_a_form_that_contradicts_itself_is_refused(kind: str, more: dict[str, Any], problem: str) -> None:
    assert [*contradictions(asking(kind, **more))] == [{"key": problem, "field": "q"}]
    assert [*contradictions(asking("number", format="integer", minimum=0, maximum=0))] == []
