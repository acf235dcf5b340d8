"""What is asked of a group, as it is stored: nothing where nobody asked; and who is not waited for."""

from datetime import timedelta

from services.chassis.domain.values import now
from services.chassis.messaging.control import DesiredState


def test_a_group_of_which_nothing_was_asked_runs() -> None:
    nothing = DesiredState(state="running", reason="", by="", at=None, order=0, moves={}, members={})
    assert DesiredState.of(None) == DesiredState.of({}) == DesiredState() == nothing


def test_what_was_asked_is_read_as_it_was_stored() -> None:
    at = now()
    document = {
        "state": "paused",
        "reason": "a look at something",
        "by": "account_1",
        "at": at,
        "order": 3,
        "moves": [{"topic": "linli.requests", "partition": 2, "offset": 17}],
        "members": {"hall-0": {"order": 2, "at": at}},
    }
    assert DesiredState.of(document) == DesiredState(
        state="paused",
        reason="a look at something",
        by="account_1",
        at=at,
        order=3,
        moves={("linli.requests", 2): 17},
        members={"hall-0": (2, at)},
    )


def test_those_who_are_alive_and_have_not_obeyed_yet_are_waited_for() -> None:
    lately, long_ago = now() - timedelta(seconds=50), now() - timedelta(seconds=61)
    members = {
        "b": (2, lately),
        "a": (-1, lately),
        "obedient": (3, lately),
        "ahead": (4, lately),
        "dead": (1, long_ago),
    }
    assert DesiredState(order=3, members=members).waits_for() == ["a", "b"]
