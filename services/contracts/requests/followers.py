"""The events of those who follow the case of somebody else."""

from services.chassis.domain.events import Event
from services.chassis.domain.values import Id


class CaseFollowed(Event):
    """Somebody else who would ask for the same follows a case: they hear of its states."""

    person_id: Id


class CaseUnfollowed(Event):
    """Somebody follows a case no more."""

    person_id: Id


FollowerEvent = CaseFollowed | CaseUnfollowed
"""Somebody else hears of a case, or no more."""


def followers_after(followers: list[str], event: FollowerEvent) -> list[str]:
    """Who follows a case after this event, those who came last at the end."""
    others = [person for person in followers if person != event.person_id]
    return [*others, event.person_id] if isinstance(event, CaseFollowed) else others
