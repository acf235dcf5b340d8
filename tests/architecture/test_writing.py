"""Every text of a command is one that a person writes, and is looked at as such, or has a form of its own."""

import importlib
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from services.chassis.domain.writing import LEGIBLE
from services.chassis.usecase import Command
from tests.support.world import NAMES

NOT_WRITTEN = {
    "SuggestItems.title": "is only looked through, with the text",
    "FindPeople.name": "is only looked for",
    "above": "an id",
    "after": "a cursor",
    "area": "a code that is looked up",
    "handler": "an id",
    "instead_of": "ids",
    "item": "a code that is looked up",
    "language": "a tag that is looked up",
    "leader": "an id",
    "number": "is only looked for",
    "organisation_id": "an id",
    "password": "is compared, and never shown",
    "person": "an id",
    "phone": "is parsed",
    "q": "is only looked for",
    "refresh_token": "is compared, and never shown",
    "team_id": "an id",
}
"""Texts without a pattern that nobody reads as somebody wrote them."""


def test_every_text_that_people_write_is_legible() -> None:
    for name in NAMES:
        importlib.import_module(f"services.{name}.app")
    unchecked = {
        f"{command.__module__}.{command.__name__}.{field}"
        for command in commands(Command)
        for field, info in command.model_fields.items()
        if not {field, f"{command.__name__}.{field}"} & NOT_WRITTEN.keys()
        for marks in texts(info.annotation, info.metadata)
        if LEGIBLE not in marks and not any(getattr(mark, "pattern", None) for mark in marks)
    }
    assert unchecked == set()


PUBLIC = {"services.requests.catalogue.commands"}
"""Commands whose texts everybody reads: the city's own words."""


def test_of_every_text_that_people_write_the_api_says_who_reads_it() -> None:
    for name in NAMES:
        importlib.import_module(f"services.{name}.app")
    unsaid = {
        f"{command.__name__}.{field}"
        for command in commands(Command)
        if command.__module__ not in PUBLIC
        for field, info in command.model_fields.items()
        if any(LEGIBLE in marks for marks in texts(info.annotation, info.metadata))
        if "read by" not in str(command.model_json_schema()["properties"][field])
        and "read in clear by" not in str(command.model_json_schema()["properties"][field])
    }
    assert unsaid == set()


def commands(base: type[Command]) -> Iterator[type[Command]]:
    """Every command of the services."""
    for one in base.__subclasses__():
        if one.__module__.startswith("services."):
            yield one
        yield from commands(one)


def texts(hint: Any, marks: list[Any]) -> Iterator[list[Any]]:
    """What is demanded of each text within an annotation."""
    origin = get_origin(hint)
    if hint is str:
        yield marks
    elif origin is Annotated:
        inner, *more = get_args(hint)
        flat = [each for one in more for each in (one.metadata if isinstance(one, FieldInfo) else [one])]
        yield from texts(inner, [*marks, *flat])
    elif origin in (Union, UnionType):
        for one in get_args(hint):
            yield from texts(one, marks)
    elif origin in (list, dict):
        yield from texts(get_args(hint)[-1], [])
