"""How many sentences in danger are found, and how many that are none: on sentences of our own, and on real messages.

`sentences.json` has sentences that we wrote. Most were read while words were chosen or mended: those `looked-at` from
the first, the `seen` ones after their first figures, which are in docs/testing.md. So figures on them say what is not
lost again, and nothing of words that are new. The `fresh` ones were written after all of them and are never mended: who
finds one of them missed leaves it so, or writes new ones. `wrapped` has each of the others with words around it that
change nothing of the danger. `labels.json` says of each real message that raises an alarm, by its id alone, whether
somebody in it is in danger, or speaks of it as of now. It was read and judged by hand.
"""

import gzip
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from services.requests.dangers.adapters import read_dangers
from tests.conftest import CITY_DATA

HERE = Path(__file__).parent
AROUND = ("刚才…", "…，交警还没来", "11月30日…", "请问…怎么办")
AROUND_ENGLISH = (
    "just now … hurry",
    "on 30 November, …",
    "… and the police may come late",
    "please tell me what to do: …",
)
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
    """Those ``looked-at`` while words were chosen, those ``seen`` when they were mended, or the ``fresh`` ones."""
    found = json.loads((HERE / "sentences.json").read_text("utf-8"))[name]
    return Sentences([Sentence(*one) for one in found["danger"]], found["harmless"])


def wrapped() -> Mapping[str, Sequence[Sentence]]:
    """All sentences in danger, each with more words around it that change nothing of the danger, by these words."""
    every = [one for name in ("looked-at", "seen") for one in sentences(name).danger]
    return {
        words: [
            one._replace(text=words.replace("…", one.text.rstrip("。！!.?？，, "))) for one in every if fits(one.style)
        ]
        for fits, some in ((_is_chinese, AROUND), (_is_english, AROUND_ENGLISH))
        for words in some
    }


def _is_chinese(style: str) -> bool:
    return style != "en"


def _is_english(style: str) -> bool:
    return style == "en"


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
