"""Case numbers: short enough to be read aloud, with a check character, and a code that only the resident gets."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from services.chassis.domain.events import Recorded, decode
from services.chassis.domain.values import Sealed
from services.contracts.requests.cases import CaseRejected, CaseResolved, CommentAdded
from services.contracts.requests.tracking import ALPHABET, plain
from services.requests.cases.model import Case

_LENGTH = 5


def candidates(case_id: str, at: datetime, zone: ZoneInfo) -> Iterator[str]:
    """The possible numbers of a case, best first: the day in the city, a part of its id, a check character."""
    day, own = at.astimezone(zone).strftime("%y%m%d"), case_id.rpartition("_")[2].upper()
    for start in range(0, len(own) - _LENGTH + 1, _LENGTH):
        part = own[start : start + _LENGTH]
        yield f"{day}-{part}-{check(day + part)}"


def check(body: str) -> str:
    """The check character (Luhn's rule modulo 32): it detects a wrong character and two swapped neighbours."""
    total, factor = 0, 2
    for character in reversed(body):
        product = factor * ALPHABET.index(character)
        total += product // len(ALPHABET) + product % len(ALPHABET)
        factor = 3 - factor
    return ALPHABET[-total % len(ALPHABET)]


def normal(said: str) -> str | None:
    """A number in its stored form, however it was typed; None if it cannot be one."""
    letters = plain(said)
    if len(letters) != 6 + _LENGTH + 1 or check(letters[:-1]) != letters[-1]:
        return None
    return f"{letters[:6]}-{letters[6:-1]}-{letters[-1]}"


def answers(history: Iterable[Recorded]) -> Iterator[tuple[str, Sealed]]:
    """The public answers, oldest first: each outcome, and the public comments of staff."""
    for recorded in history:
        match decode(Case.events, recorded):
            case CaseResolved(answer=words) | CaseRejected(answer=words):
                yield "answer", words
            case CommentAdded(public=True, from_resident=False, text=words):
                yield "text", words
