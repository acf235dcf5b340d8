"""What is wrong with a field: pydantic's kinds of errors in the users' words."""

import re
from collections.abc import Mapping
from typing import Any

from services.chassis.domain.texts import Texts
from services.chassis.domain.values import PATTERNS

_QUOTED = re.compile(r"'([^']*)'")
"""A value in the library's list of those that a field takes: ``'a', 'b' or 'c'``; of an enum ``<Kind.A: 'a'>``."""


def field_of(error: Mapping[str, Any]) -> str:
    """The field as the sender wrote it, without where it was sent."""
    place = [str(part) for part in error["loc"]]
    if error["type"] == "json_invalid":
        return place[0]
    return ".".join(place[1:]) or place[0]


def problem_of(error: Mapping[str, Any], texts: Texts, language: str) -> str:
    """What is wrong with it; a kind of error without a text of ours is described by the library's."""
    if texts.get("fields", error["type"], language) is None:
        return str(error["msg"])
    facts = {"position": error["loc"][-1], **error.get("ctx", {})}
    if "pattern" in facts:
        facts["shape"] = PATTERNS.get(facts["pattern"], facts["pattern"])
    if "expected" in facts:
        facts["expected"] = ", ".join(_QUOTED.findall(facts["expected"])) or facts["expected"]
    return texts.fill("fields", error["type"], language, facts)
