"""The rules of following a case."""

from datetime import timedelta

from services.chassis.domain.refusals import Kind, NotFound, Refusal
from services.contracts.requests.followers import CaseFollowed, CaseUnfollowed
from services.requests.cases.model import Case
from services.requests.cases.states.model import OPEN

MOST_FOLLOWERS = 500
"""A case holds them all, and each of them hears of each state."""
MOST_LEFT = 1_000
"""How often people may leave a case in all: each time stays in its history."""
AGAIN = 1
"""How often somebody who left a case may follow it again."""
SHOWN_FROM = 3
"""From how many followers on strangers are told their number: fewer might be recognised."""
ALIKE = timedelta(days=30)
"""What was asked for longer ago is another matter."""


class FollowedByItself(Refusal):
    kind = Kind.STATE


class FollowedTooLate(Refusal):
    kind = Kind.STATE


class FollowersFull(Refusal):
    kind = Kind.STATE


class FollowedOften(Refusal):
    kind = Kind.STATE


def expect_followable(case: Case, person: str) -> None:
    """Refuse to follow a case that strangers are not shown, that is over, one's own, or followed by very many.

    NotFound, FollowedTooLate, FollowedByItself, FollowersFull; FollowedOften for who left it again and again.
    """
    expect_shown(case)
    if case.resident_id == person:
        raise FollowedByItself
    if case.state not in OPEN:
        raise FollowedTooLate
    if person in case.followers:
        return
    if case.left.count(person) > AGAIN:
        raise FollowedOften
    if len(case.followers) >= MOST_FOLLOWERS or len(case.left) >= MOST_LEFT:
        raise FollowersFull(most=MOST_FOLLOWERS)


def expect_shown(case: Case) -> None:
    """Refuse a case that strangers are not shown, as if it were not there: NotFound."""
    if not case.followable:
        raise NotFound


def follow(case: Case, person: str) -> None:
    """Let somebody hear of the states of a case; nothing happens where they do."""
    if person not in case.followers:
        case.record(CaseFollowed(person_id=person))


def unfollow(case: Case, person: str) -> None:
    """Let them hear no more; nothing happens where they do not."""
    if person in case.followers:
        case.record(CaseUnfollowed(person_id=person))


def shown(followers: int) -> int | None:
    """Their number, as strangers may know it."""
    return followers if followers >= SHOWN_FROM else None
