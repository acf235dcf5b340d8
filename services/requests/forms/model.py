"""Answers to a form: each is of its kind and within its bounds, and is kept as it was meant, however it was typed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NoReturn

import phonenumbers
from pydantic_core import PydanticCustomError

from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.spelling import day_from, half_width
from services.chassis.domain.writing import legible
from services.contracts.requests.catalogue import FieldFormat, FieldKind, FormField

LONGEST_LINE = 200
"""The longest one-line answer, in characters; a text may have ten times as many."""
LARGEST = 10**15
"""A larger number is not a plausible answer, and not exact in JSON."""

_FURTHEST = 100_000
"""Days from today that a bound may be away."""


_Reader = Callable[[Any, FormField], Any]
"""Gives an answer as it is kept, or raises _Problem."""


class AnswersUnfit(Refusal):
    kind = Kind.INVALID


class _Problem(Exception):
    """An answer does not fit, with the key of the sentence and its facts."""

    def __init__(self, key: str, **facts: Any) -> None:
        super().__init__(key)
        self.key, self.facts = key, facts


def answered(form: Sequence[FormField], answers: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The answers as they are kept; AnswersUnfit with every problem, where they do not fit the form.

    ``today``: in the city. Days are compared with it.
    """
    asked = {field.code: field for field in form}
    kept: dict[str, Any] = {}
    unasked = sorted(set(answers) - set(asked))
    problems: list[Mapping[str, Any]] = [{"key": "unasked", "field": code} for code in unasked]
    for code, field in asked.items():
        try:
            given = _given(field, answers.get(code))
            if given is not None:
                read: _Reader = _KINDS.get(field.kind, _line)
                kept[code] = _within(field, read(given, field), today)
        except _Problem as problem:
            problems.append({"key": problem.key, "field": code, "label": field.label, **problem.facts})
    if problems:
        raise AnswersUnfit(problems=problems)
    return kept


def contradictions(form: Sequence[FormField]) -> Iterator[Mapping[str, Any]]:
    """What a form asks that nobody can answer."""
    codes = [field.code for field in form]
    yield from ({"key": "field-twice", "field": code} for code in dict.fromkeys(codes) if codes.count(code) > 1)
    for field in form:
        if bool(field.values) != (field.kind in (FieldKind.SINGLE, FieldKind.MULTI)):
            yield {"key": "values-unfit", "field": field.code}
        if field.format is not None and field.format not in _FORMATS.get(field.kind, ()):
            yield {"key": "format-unfit", "field": field.code}
        bounds = [bound for bound in (field.minimum, field.maximum) if bound is not None]
        if bounds != sorted(bounds):
            yield {"key": "bounds-crossed", "field": field.code}
        if bounds and (field.kind == FieldKind.SINGLE or max(map(abs, bounds)) > _MOST.get(field.kind, LARGEST)):
            yield {"key": "bounds-unfit", "field": field.code}


def _given(field: FormField, answer: Any) -> Any:
    """The answer, or None where none is given."""
    if answer in (None, "", []):
        if field.required:
            raise _Problem("missing")
        return None
    return answer


def _line(given: Any, field: FormField) -> str:
    text = _written(given, field, LONGEST_LINE)
    return _phone(text, field) if field.format == FieldFormat.PHONE else text


def _text(given: Any, field: FormField) -> str:
    return _written(given, field, LONGEST_LINE * 10)


def _written(given: Any, field: FormField, longest: int) -> str:
    if not isinstance(given, str) or len(given) > longest:
        _refuse(field)
    try:
        return legible(given)
    except PydanticCustomError as error:
        raise _Problem(error.type.replace("_", "-"), **(error.context or {})) from None


def _phone(text: str, field: FormField) -> str:
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        _refuse(field)
    if not phonenumbers.is_valid_number(number):
        _refuse(field)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _number(given: Any, field: FormField) -> int | float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) <= LARGEST:
        _refuse(field)
    if field.format == FieldFormat.INTEGER and given != int(given):
        _refuse(field)
    return given


def _moment(given: Any, field: FormField) -> str:
    """A day, or an instant with its zone, in the form of ISO 8601."""
    if not isinstance(given, str):
        _refuse(field)
    try:
        day = day_from(given)
        if day is not None:
            return day.isoformat()
        instant = datetime.fromisoformat(half_width(given).strip().upper())
    except ValueError:
        _refuse(field)
    if field.format == FieldFormat.DATE:
        _refuse(field)
    if instant.tzinfo is None:
        raise _Problem("zone-missing")
    return instant.isoformat()


def _one_choice(given: Any, field: FormField) -> Any:
    if given not in [value.key for value in field.values]:
        _refuse(field)
    return given


def _some_choices(given: Any, field: FormField) -> list[Any]:
    if not isinstance(given, list) or len(given) != len({str(one) for one in given}):
        _refuse(field)
    return [_one_choice(one, field) for one in given]


def _refuse(field: FormField) -> NoReturn:
    if field.format is not None:
        raise _Problem("unformatted", format=field.format)
    raise _Problem("unfit", kind=field.kind)


def _within(field: FormField, answer: Any, today: date) -> Any:
    """The answer, where it is within the bounds of its field: of a date they are days from today, of a text its length,
    of choices their number."""
    low, high, size = field.minimum, field.maximum, answer
    if field.kind == FieldKind.DATETIME:
        size = (datetime.fromisoformat(answer).date() - today).days
        if low is not None and size < low:
            raise _Problem("early", bound=(today + timedelta(days=low)).isoformat())
        if high is not None and size > high:
            raise _Problem("late", bound=(today + timedelta(days=high)).isoformat())
        return answer
    if field.kind != FieldKind.NUMBER:
        size = len(answer)
    if low is not None and size < low:
        raise _Problem(f"below-{_measure(field)}", bound=_plain(low))
    if high is not None and size > high:
        raise _Problem(f"above-{_measure(field)}", bound=_plain(high))
    return answer


def _measure(field: FormField) -> str:
    if field.kind == FieldKind.MULTI:
        return "choices"
    return "number" if field.kind == FieldKind.NUMBER else "length"


def _plain(bound: float) -> int | float:
    return int(bound) if bound == int(bound) else bound


_MOST: Mapping[str, int] = {FieldKind.DATETIME: _FURTHEST}
_KINDS: Mapping[str, _Reader] = {
    FieldKind.STRING: _line,
    FieldKind.TEXT: _text,
    FieldKind.NUMBER: _number,
    FieldKind.DATETIME: _moment,
    FieldKind.SINGLE: _one_choice,
    FieldKind.MULTI: _some_choices,
}
_FORMATS: Mapping[str, tuple[FieldFormat, ...]] = {
    FieldKind.STRING: (FieldFormat.PHONE,),
    FieldKind.NUMBER: (FieldFormat.INTEGER,),
    FieldKind.DATETIME: (FieldFormat.DATE,),
}
