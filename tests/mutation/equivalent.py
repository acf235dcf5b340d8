"""Mutants that no test can notice, each with the reason: they do the same as the code."""

import re
from collections.abc import Mapping

from tests.mutation.mutants import Mutant

EQUIVALENT: Mapping[str, str] = {
    """\
- begun: Recorded | None = None
+ begun: Recorded | None = \"\"""": "both are false",
    """\
- met = False
+ met = None""": "both are false",
    """\
- if self.start < self.end:
+ if self.start <= self.end:""": "quiet hours with equal ends are refused when they are chosen",
}
"""By what they change: the lines of the diff, without the spaces at their ends."""


_INDEX = "an index changes how soon something is found, not what"


def reason(mutant: Mutant) -> str | None:
    """Why a mutant does the same as the code; nothing where it does not."""
    if re.search(r"\bIndex\(|_led_by|^ +(filters|times|named) = ", mutant.before):
        return _INDEX
    return EQUIVALENT.get(_key(mutant.change))


def _key(change: str) -> str:
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in change.split("\n"))
