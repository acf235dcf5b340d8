"""Failures of reactions: which ones end a batch before it may be confirmed, and how many turn a reaction off."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.parking import UNREADABLE
from services.chassis.messaging.reactions import AnyReaction, Effect, Handled, handler
from services.chassis.messaging.retry import is_transient
from services.chassis.usecase import Container

HANDLING, WRITING = "", "writing for "
"""What of a reaction fails: itself, or the write of its effects. Each is counted alone."""
_HOPELESS = 3


class PartitionsReassigned(Exception):
    """The partitions were reassigned: the new owner continues from the committed offsets."""


class TooManyFailures(Exception):
    """Reactions fail on one event after the other: what was deployed is to blame, not what the events say."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """``reasons``: by the name of what fails."""
        super().__init__("; ".join(reasons.values()))
        self.reasons = dict(reasons)


class Failures:
    """Failures in a row, by reaction, by what of it fails and by the type of event, since a batch mixes these."""

    def __init__(self, most: int) -> None:
        """After ``most`` in a row one more is TooManyFailures."""
        self._most = most
        self._in_a_row: Counter[tuple[str, str, str]] = Counter()

    def keep_only(self, names: Collection[str]) -> None:
        """Forget those of other reactions: one that is turned on again begins at 0."""
        kept = {what: count for what, count in self._in_a_row.items() if what[0] in (*names, UNREADABLE)}
        self._in_a_row = Counter(kept)

    def went_well(self, name: str, what: str, type: str) -> None:
        """The row ends."""
        self._in_a_row[name, what, type] = 0

    def hopeless(self, name: str, type: str) -> bool:
        """Whether it failed on the last three events: a pause between two tries only holds the others up then."""
        return self._in_a_row[name, HANDLING, type] >= _HOPELESS

    def count(self, name: str, what: str, type: str, reason: str) -> None:
        """One more; TooManyFailures instead of parking a whole topic, and again when the batch comes again."""
        self._in_a_row[name, what, type] += 1
        if self._in_a_row[name, what, type] > self._most:
            said = f"{what}{name} failed on more than {self._most} events in a row; the last: {reason}"
            raise TooManyFailures({name: said})


def raise_worst(outcomes: Sequence[object]) -> None:
    """Raise the most serious error among the outcomes of concurrent work, if there is one.

    First an error that ends the process or repeats the batch, then TooManyFailures for all reactions that failed too
    often.
    """
    failing: dict[str, str] = {}
    for outcome in outcomes:
        if isinstance(outcome, TooManyFailures):
            failing |= outcome.reasons
        elif isinstance(outcome, BaseException):
            raise outcome
    if failing:
        raise TooManyFailures(failing)


async def prepared(reaction: AnyReaction, container: Container, events: Sequence[Delivered]) -> Handled | None:
    """The handler of these events. None if it cannot be made for several events at once: each is then tried alone, to
    find the one that fails."""
    try:
        return await handler(reaction, container, events)
    except Exception as error:
        if is_transient(error):
            raise
        reason = error
    if len(events) > 1:
        return None

    async def failing(_: Delivered) -> Sequence[Effect]:
        raise reason

    return failing
