"""The payload of a request for its fingerprint: what it says, not how it is written down."""

import json
from typing import Any

import rfc8785

from services.chassis.domain.refusals import Kind, Refusal

_NOTHING = b"{}"
_LONGEST = 40


class NameTwice(Refusal):
    kind = Kind.INVALID


def canonical(content: bytes) -> bytes:
    """The canonical form (RFC 8785) of a body in JSON; no body is the same as an empty object.

    Raises NameTwice where an object has a name twice: which of the two values counts would be chance. What is no JSON,
    or has numbers beyond those of RFC 8785, is taken as it is.
    """
    if not content.strip():
        return _NOTHING
    try:
        return rfc8785.dumps(json.loads(content, object_pairs_hook=_object))
    except (ValueError, RecursionError):  # of both libraries
        return content


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict[str, Any]()
    for name, value in pairs:  # one after the other: a body may have a hundred thousand names
        if name in found:
            raise NameTwice(name=name[:_LONGEST])
        found[name] = value
    return found
