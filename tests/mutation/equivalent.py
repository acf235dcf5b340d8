"""Mutants that no test can notice, each with the reason: they do the same as the code."""

import re
from collections.abc import Mapping

from tests.mutation.mutants import Mutant

EQUIVALENT: Mapping[str, str] = {}
"""By what they change: the lines of the diff, without the spaces at their ends."""


_INDEX = "an index changes how soon something is found, not what"


def reason(mutant: Mutant) -> str | None:
    """Why a mutant does the same as the code; nothing where it does not."""
    if re.match(r"\s*(Index\(|indexes: )", mutant.before):
        return _INDEX
    return EQUIVALENT.get(_key(mutant.change))


def _key(change: str) -> str:
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in change.split("\n"))
