"""The protocol within small bounds, explored to the last state: no promise is broken, and every guard is needed."""

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from tests.model.bounds import Wrong, right, wrong
from tests.model.explore import Explored, Kind, Step, explore
from tests.model.weaknesses import Weak

STEPS = {
    "publishing": {
        "load", "write", "bring to a majority", "answer a repeat", "meet a conflict", "hold", "read", "send",
        "its request is appended", "acknowledged", "mark", "copy to the archive", "pull from the history",
        "append a late request", "crash", "freeze, until the lease runs out", "thaw", "lose the acknowledgement",
        "lose the primary",
    },
    "consuming": {
        "learn that it is assigned", "learn that it is revoked", "poll, load what is parked:",
        "poll, ask what is flagged:", "ask what is flagged:", "take, unseen", "find it has moved", "attempt",
        "effect, by a use case", "fail on", "see waiting behind another", "park", "effect", "remember", "commit",
        "have its commit refused", "flag all parked of", "replay", "pass over a replay", "fail again on",
        "effect of the replay", "remember the replay", "unpark", "archive the cause of", "crash", "thaw",
        "freeze, until the group has taken it out", "rebalance, giving the partition to",
    },
    "catching up": {
        "see that nothing is paused", "read the switches:", "poll", "take, unseen", "effect", "remember", "commit",
        "take, without the reaction,", "pause the consumer", "stand still", "ask what the group has committed:",
        "turn the reaction on", "see that it is on", "resume", "learn that it is assigned", "learn that it is revoked",
        "have its commit refused", "crash", "freeze, until the group has taken it out", "thaw",
        "rebalance, giving the partition to", "fail too often on", "ask what the group has committed, when it failed:",
        "turn it off, from", "find that it is off",
    },
    "waiting": {
        "learn of its partition", "read the switches", "pause", "poll", "take into the copy, if it is on",
        "let the reader take it, if it is on", "commit", "have its commit refused", "fail too often in the copy",
        "ask what the group has committed", "turn the copy off", "find the copy off", "ask what is committed",
        "let the copy catch up", "let the reader catch up", "read what came meanwhile", "pause the consumer",
        "turn on", "resume", "crash", "lose the partition in a rebalance",
    },
    "holding": {
        "change the item", "give no answer for a second", "be opened again", "tell of the change", "be cut",
        "take a request", "read the database", "decide by the database",
    },
}  # fmt: skip
"""The steps that the right models must take at least once."""


RIGHT = {one.name: one for one in right()}


@cache
def _explored(name: str) -> Explored:
    return explore(RIGHT[name].model)


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_protocol_breaks_no_promise(name: str) -> None:
    assert _explored(name).breach is None


@pytest.mark.parametrize("name", RIGHT)
def test_no_model_has_lost_its_states(name: str) -> None:
    assert _explored(name).states >= RIGHT[name].at_least


@pytest.mark.parametrize("part", STEPS)
def test_every_step_is_taken(part: str) -> None:
    taken: Counter[str] = sum((_explored(name).steps for name in RIGHT if name.startswith(part)), Counter())
    assert set(taken) == STEPS[part]


def test_every_guard_is_taken_away_once() -> None:
    assert {one.without for one in wrong()} == set(Weak)


def _named(one: Wrong) -> str:
    return f"{one.without.name}-{one.breaks}"


@pytest.mark.parametrize("one", wrong(), ids=_named)
def test_without_a_guard_its_promise_is_broken(one: Wrong) -> None:
    breach = explore(one.model).breach
    assert breach is not None
    assert breach.promise.startswith(one.breaks), breach
    assert breach.trace


class Walk:
    """From 0 to 3, with a pit beside 1 in which one may go round for ever."""

    start = 0

    def steps(self, state: int) -> Iterator[Step[int]]:
        """On, down, round."""
        if 0 <= state < 3:
            yield Step("walker", "walk", "", Kind.OWN, state + 1)
        if state == 1:
            yield Step("walker", "fall", "", Kind.FAULT, -1)
        if state == -1:
            yield Step("walker", "turn round", "", Kind.OWN, -1)

    def broken(self, state: int) -> str:
        """Nothing is forbidden."""
        return ""

    def owed(self, state: int) -> str:
        """To arrive."""
        return "" if state == 3 else "G0: it never arrives"


def test_a_run_that_goes_round_for_ever_is_a_breach_too() -> None:
    breach = explore(Walk()).breach
    assert breach is not None
    assert breach.promise == "G0: it never arrives"
    assert list(breach.trace) == ["walker: walk", "walker: fall", "(it can never be mended from here)"]
