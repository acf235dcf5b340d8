"""How many sentences in danger are found, and how many that are none: on sentences of our own, and on real messages.

`sentences.json` has sentences that we wrote. Those under `unseen` were written after the words of danger; their first
figures are in docs/testing.md. `labels.json` says of each real message that raises an alarm, by its id alone, whether
somebody in it is in danger, or speaks of it as of now. It was read and judged by hand.
"""

import gzip
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from services.requests.dangers.adapters import read_dangers
from tests.conftest import CITY_DATA

HERE = Path(__file__).parent
DANGERS = read_dangers(CITY_DATA)


class Sentence(NamedTuple):
    """One sentence in danger: the kind that must be found, and how it is said (zh, traditional, spoken, en)."""

    kind: str
    style: str
    text: str


class Sentences(NamedTuple):
    """Sentences in danger, and sentences that only sound like it."""

    danger: Sequence[Sentence]
    harmless: Sequence[str]


class Alarms(NamedTuple):
    """Of real messages: how many there are, which raise an alarm, and what was said of these by hand."""

    messages: int
    true: Sequence[str]
    false: Sequence[str]
    unjudged: Sequence[str]
    kinds: Counter[str]
    milliseconds: float


def sentences(name: str) -> Sentences:
    """Those ``looked-at`` while words were chosen, or the ``unseen`` ones."""
    found = json.loads((HERE / "sentences.json").read_text("utf-8"))[name]
    return Sentences([Sentence(*one) for one in found["danger"]], found["harmless"])


def kinds(*texts: str) -> list[str]:
    """The kinds of danger in a text."""
    return [one.danger.code for one in DANGERS.find(*texts)]


def missed(among: Sentences) -> list[Sentence]:
    """The sentences in danger whose kind is not found."""
    return [one for one in among.danger if one.kind not in kinds(one.text)]


def alarming(among: Sentences) -> list[str]:
    """The harmless sentences that raise an alarm all the same."""
    return [text for text in among.harmless if kinds(text)]


def alarms(ledger: Path) -> Alarms:
    """What all messages of a ledger of real ones raise."""
    labels: dict[str, bool] = json.loads((HERE / "labels.json").read_text("utf-8"))
    with gzip.open(ledger, "rt", encoding="utf-8") as lines:
        messages = [json.loads(line) for line in lines]
    began = time.perf_counter()
    found = {str(one["id"]): kinds(one["title"], one["text"]) for one in messages}
    took = (time.perf_counter() - began) * 1000 / max(1, len(messages))
    raised = [id for id, some in found.items() if some]
    return Alarms(
        messages=len(messages),
        true=[id for id in raised if labels.get(id) is True],
        false=[id for id in raised if labels.get(id) is False],
        unjudged=[id for id in raised if id not in labels],
        kinds=Counter(kind for some in found.values() for kind in some),
        milliseconds=took,
    )
