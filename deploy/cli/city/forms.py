"""Answers to an item's form where a message of old has none: what its writer would have been asked."""

from typing import Any

_SAYS = "见正文"


def answers(form: list[dict[str, Any]], filed_at: str) -> dict[str, Any]:
    """One fitting answer for each field that must be filled in; ``filed_at`` is an ISO 8601 instant."""
    return {field["code"]: _answer(field, filed_at) for field in form if field["required"]}


def _answer(field: dict[str, Any], filed_at: str) -> Any:
    first = field["values"][0]["key"] if field["values"] else ""
    by_kind: dict[str, Any] = {
        "string": _SAYS,
        "text": _SAYS,
        "number": 1,
        "datetime": filed_at,
        "single": first,
        "multi": [first],
    }
    return by_kind[field["kind"]]
