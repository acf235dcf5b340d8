"""Case numbers: short enough to be read aloud, with a check character, and a code that only the resident gets."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from services.chassis.domain.events import Recorded, decode
from services.chassis.domain.values import Sealed
from services.contracts.requests.cases import CaseRejected, CaseResolved, CommentAdded
from services.contracts.requests.tracking import LENGTH, check
from services.requests.cases.model import Case


def candidates(case_id: str, at: datetime, zone: ZoneInfo) -> Iterator[str]:
    """The possible numbers of a case, best first: the day in the city, a part of its id, a check character."""
    day, own = at.astimezone(zone).strftime("%y%m%d"), case_id.rpartition("_")[2].upper()
    for start in range(0, len(own) - LENGTH + 1, LENGTH):
        part = own[start : start + LENGTH]
        yield f"{day}-{part}-{check(day + part)}"


def answers(history: Iterable[Recorded]) -> Iterator[tuple[str, Sealed]]:
    """The public answers, oldest first: each outcome, and the public comments of staff."""
    for recorded in history:
        match decode(Case.events, recorded):
            case CaseResolved(answer=words) | CaseRejected(answer=words):
                yield "answer", words
            case CommentAdded(public=True, from_resident=False, text=words):
                yield "text", words
