"""How well items are suggested for real messages that were labelled by hand: `python -m tests.requests.labelled`.

`suggestion_labels.json` has, for 300 messages, the item that fits best, and after it others that would do as well. Half
of them, by a hash of their ids, are never looked at while keywords are changed: only they are a measure.
"""

import gzip
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from deploy.cities.load import load
from services.requests.suggestions.model import Entry, TermIndex, build, suggest

ROOT = Path(__file__).parents[2]
CATALOGUE = load(ROOT / "deploy/cities/hulunbuir").catalogue
ENTRIES = [Entry(item.code, item.name.zh, item.keywords, item.general) for item in CATALOGUE.items]
INDEX = build(ENTRIES)
_GROUPS = {item.code: (item.system, item.group.zh) for item in CATALOGUE.items}


class Message(NamedTuple):
    """One message with the codes of the items that fit it."""

    title: str
    text: str
    fitting: Sequence[str]
    measure: bool
    """Whether it is one of those that are never looked at."""


class Scores(NamedTuple):
    """Of how many messages, in percent, the first suggestion or one of five is right: item, group, system."""

    item: tuple[int, int]
    group: tuple[int, int]
    system: tuple[int, int]


def real_messages() -> Path | None:
    """A ledger of real messages: named by LINLI_MESSAGES, or in a `data` folder beside the repository."""
    named = os.environ.get("LINLI_MESSAGES")
    found = [Path(named)] if named else sorted(ROOT.parent.glob("*/data/citizen_messages.jsonl.gz"))
    return next((path for path in found if path.is_file()), None)


def labelled(ledger: Path) -> Iterator[Message]:
    """The labelled messages of a ledger."""
    labels = json.loads((Path(__file__).parent / "suggestion_labels.json").read_text("utf-8"))
    with gzip.open(ledger, "rt", encoding="utf-8") as lines:
        for one in map(json.loads, lines):
            if fitting := labels.get(str(one["id"])):
                measure = hashlib.sha256(f"half:{one['id']}".encode()).digest()[0] % 2 == 0
                yield Message(one["title"], one["text"], fitting, measure)


def scores(index: TermIndex, messages: Sequence[Message]) -> Scores:
    """How often what is suggested for these messages is right."""
    found = [[one.code for one in suggest(index, message.text, message.title)] for message in messages]

    def share(most: int, depth: int) -> int:
        """``depth``: how many parts of (system, group, item) must be those of an item that fits."""
        right = 0
        for codes, message in zip(found, messages, strict=True):
            wanted = {_way(code)[:depth] for code in message.fitting}
            right += any(_way(code)[:depth] in wanted for code in codes[:most])
        return round(100 * right / len(messages))

    return Scores(*((share(1, depth), share(5, depth)) for depth in (3, 2, 1)))


def _way(code: str) -> tuple[str, str, str]:
    return *_GROUPS[code], code


def main() -> int:
    """Print the scores of both halves."""
    ledger = real_messages()
    if ledger is None:
        sys.stderr.write("There is no ledger of real messages here: name one in LINLI_MESSAGES.\n")
        return 2
    messages = [*labelled(ledger)]
    for name, half in (("measure", True), ("looked at", False)):
        chosen = [message for message in messages if message.measure == half]
        found = scores(INDEX, chosen)
        words = ", ".join(
            f"{what} {first} % first, {five} % of five" for what, (first, five) in found._asdict().items()
        )
        sys.stdout.write(f"{name}, {len(chosen)} messages: {words}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
