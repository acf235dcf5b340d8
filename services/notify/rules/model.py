"""What a subject declares: the copy it reads, its rules, its silent events, and the facts for its texts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from services.chassis.domain.entity import Copy
from services.chassis.domain.events import Event
from services.notify.audience.queries import Address
from services.notify.templates.model import Facts

C = TypeVar("C", bound=Copy[Any] | None)
Known = TypeVar("Known", bound=Copy[Any] | None, covariant=True)
Needed = TypeVar("Needed", bound=Copy[Any] | None, contravariant=True)

Blind = Callable[[str, str], str]
"""The blind index (hexadecimal) of a value, by the kind of the index and the value."""


@dataclass(frozen=True)
class Occurrence(Generic[Known]):
    """One event, with what notify knows of its entity: ``copy``, None where the subject keeps no copy."""

    id: str
    event: Any
    entity: str
    version: int
    at: datetime
    by: str
    copy: Known


class Audience(Protocol[Needed]):
    """Who is to hear of an event: one of the parties that have a stake in what happens."""

    party: str
    """A column of the page of notices."""
    staff: bool

    def choices(self, what: Occurrence[Needed]) -> Sequence[Sequence[Address]]:
        """Where to look for them, best first: the first choice with anybody in it counts."""


@dataclass(frozen=True)
class Named:
    """The person whom a field of the event names."""

    field: str = "person_id"
    party = "person"
    staff = False

    def choices(self, what: Occurrence[Any]) -> Sequence[Sequence[Address]]:
        """One person."""
        return [[Address("person", getattr(what.event, self.field))]]


def always(_: Occurrence[Any]) -> bool:
    """Each time."""
    return True


def never(_: Occurrence[Any]) -> bool:
    """At no time."""
    return False


@dataclass(frozen=True)
class Tell(Generic[C]):
    """One rule. ``words`` names a field, sealed under the key of the event's entity, that is quoted to its resident.

    Messages to staff never quote: what a resident wrote is read where the case is, as long as it is there.
    """

    event: type[Event]
    to: Audience[C]
    template: str
    when: Callable[[Occurrence[C]], bool] = always
    words: str | None = None
    quotes: str | None = None
    """A field of the copy that is quoted like ``words``; the subject says which facts it makes (``quoted``)."""
    texted: bool = False
    """Worth a text message: for staff who chose text messages, for residents unless they declined them."""
    urgent: bool = False
    """Sent in quiet hours as well."""
    by_all: bool = False
    """By every channel that somebody has, also those that they declined: they are on call."""
    by_phone: bool = False
    """Only as a text message to the phone in the event; it expires with the event."""
    kept: bool = False
    """What goes to the phone in the event is in the inbox as well."""
    instead_of: Audience[C] | None = None
    """Only where nobody is found there."""
    unless_own: bool = False
    """Nobody there hears what one of them did."""

    @property
    def unconditional(self) -> bool:
        """It has no ``when``."""
        return self.when is always

    @property
    def tells_each_time(self) -> bool:
        """Whether the party hears of every such event."""
        return self.unconditional and self.instead_of is None and not self.unless_own


@dataclass(frozen=True)
class Silence(Generic[C]):
    """Parties that do not hear of an event, or not where no rule for them holds, and why."""

    event: type[Event]
    because: str
    parties: tuple[Audience[C], ...]


def silence(event: type[Event], because: str, *parties: Audience[C]) -> Silence[C]:
    """One line of it."""
    return Silence(event, because, parties)


def no_facts(_: Occurrence[Any], __: Blind) -> Facts:
    """The facts of a subject whose texts have no placeholders."""
    return {}


def as_it_is(facts: Facts) -> Facts:
    """Nothing is left out for those who look at somebody's phone."""
    return facts


def nothing_quoted(_: str) -> Facts:
    """The facts of a subject whose rules quote nothing of a copy."""
    return {}


@dataclass(frozen=True)
class Subject(Generic[C]):
    """A kind of thing that events are about. Each event of a contract belongs to exactly one subject.

    An event is ``silent`` with the reason why nobody is told, or each of the ``parties`` has an answer for it: a rule
    that always holds, or why they are untold.
    """

    name: str
    copy: type[C] | None = None
    """The copy of the entity: an event waits (is parked) until it is there. None: the event says it all."""
    parties: tuple[Audience[C], ...] = ()
    """Everybody who may have a stake."""
    rules: tuple[Tell[C], ...] = ()
    """One rule a line. Where several rules of one event reach the same person, the first counts."""
    silences: tuple[Silence[C], ...] = ()
    silent: Mapping[type[Event], str] = field(default_factory=dict)
    facts: Callable[[Occurrence[C], Blind], Facts] = no_facts
    """The values for the placeholders of the texts. The engine adds quoted words and codes, which it has to open."""
    quoted: Callable[[str], Facts] = nothing_quoted
    """The facts that a quoted field of the copy makes."""
    sensitive: Callable[[Occurrence[C]], bool] = never
    """Whether titles and text messages leave out what it is about."""
    outside: Callable[[Facts], Facts] = as_it_is
    """Then: the facts with neutral ones for those that would tell."""

    def answers(self, event: type[Event], party: Audience[C]) -> tuple[Sequence[Tell[C]], Sequence[str]]:
        """The rules by which a party hears of an event, and why it does not, where none of them holds."""
        rules = [rule for rule in self.rules if rule.event is event and rule.to.party == party.party]
        because = [
            one.because
            for one in self.silences
            if one.event is event and party.party in {other.party for other in one.parties}
        ]
        return rules, because

    @property
    def announced(self) -> frozenset[type[Event]]:
        """The events that have rules."""
        return frozenset(rule.event for rule in self.rules)
