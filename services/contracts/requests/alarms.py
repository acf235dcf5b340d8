"""The events by which somebody on call hears of a case of danger, and by which neighbours' cases are one incident."""

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, Id, Instant
from services.chassis.domain.words import Words
from services.contracts.requests.case_parts import OfHandler


class CaseCalled(OfHandler, Event):
    """Who is on call at a place was called about a case of danger; ``step`` counts the calls since it was filed.

    ``person_id`` is None where nobody is on call there. If nobody accepts it, the next is called at ``next_at``.
    """

    step: int
    place: Code
    place_name: Words | None = None
    person_id: Id | None = None
    backup: bool = False
    next_at: Instant


class CaseLinked(OfHandler, Event):
    """The same danger was reported a moment before: who is called about that case, ``first_id``, is called for this."""

    first_id: Id


class IncidentOpened(Event):
    """A danger was reported that nobody had reported there a moment before: somebody is called about the case."""

    case_id: Id
    opened_at: Instant


class IncidentReported(Event):
    """The same danger was reported once more, by another case; ``first_id`` is the one about which somebody is
    called."""

    case_id: Id
    first_id: Id


AlarmEvent = CaseCalled | CaseLinked
"""Somebody hears of a case of danger."""
