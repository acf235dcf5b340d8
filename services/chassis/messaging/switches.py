"""Which reactions of a service are on, and from which offsets each one that is not has not had its effects."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from services.chassis.domain.checks import TopicPartition
from services.chassis.domain.values import now
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.storage.mongo import Document

ON, OFF, WAITING = "on", "off", "waiting"
OPERATOR = "operator"
"""How the name of a person who turns one off begins."""

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Switch:
    """One reaction of a service: on, off, or waiting for a copy that it reads and that is not on."""

    name: str
    state: str
    since: datetime
    reason: str = ""
    by: str = ""
    reads: tuple[str, ...] = ()
    """The reactions that keep the copies which it reads."""
    begins: Offsets = field(default_factory=dict)
    """What lies before these offsets it leaves out for good."""
    positions: Offsets | None = None
    """While it is not on: before these offsets it has had all its effects. A partition that is not named counts as 0.
    None: it has never been on and has taken nothing."""

    @classmethod
    def of(cls, name: str, stored: Document) -> Self:
        """From the form in which it is stored."""
        known, reads = stored.get("positions"), tuple(stored.get("reads", ()))
        begins, positions = offsets(stored.get("begins", {})), None if known is None else offsets(known)
        why, who = stored.get("reason", ""), stored.get("by", "")
        return cls(name, stored["state"], stored["since"], why, who, reads, begins, positions)

    def stored(self) -> Document:
        """In the form in which it is stored."""
        stored: Document = {"state": self.state, "since": self.since, "reason": self.reason, "by": self.by}
        stored["reads"] = list(self.reads)
        stored["begins"] = {key(place): offset for place, offset in self.begins.items()}
        if self.positions is not None:
            stored["positions"] = {key(place): offset for place, offset in self.positions.items()}
        return stored

    @property
    def on(self) -> bool:
        """Whether the consumer delivers to it."""
        return self.state == ON

    def starts_at(self, place: TopicPartition) -> int:
        """From which offset of a partition on it has to catch up, in records."""
        return max((self.positions or {}).get(place, 0), self.begins.get(place, 0))

    def behind(self, confirmed: Offsets) -> int:
        """How many records that the group has confirmed it has not taken; 0 while it is on."""
        return 0 if self.on else sum(max(0, end - self.starts_at(place)) for place, end in confirmed.items())

    def turned_on(self, begins: Offsets | None = None) -> Self:
        """On; ``begins`` where it leaves out what lies before."""
        kept = self.begins if begins is None else begins
        return replace(self, state=ON, since=now(), reason="", by="", begins=kept, positions=None)

    def turned_off(self, state: str, reason: str, by: str, confirmed: Offsets) -> Self:
        """Off or waiting: one that was on has had its effects up to what is confirmed, another keeps its offsets."""
        positions = confirmed if self.on else self.positions
        return replace(self, state=state, since=now(), reason=reason, by=by, positions=positions)


Switches = Mapping[str, Switch]


def key(place: TopicPartition) -> str:
    """A partition as the name of a field: a dot would be a path."""
    return f"{place[0]}|{place[1]}".replace(".", "/")


def offsets(stored: Document) -> Offsets:
    """Offsets by partition, from the form in which they are stored."""
    parts = {name.replace("/", ".").rpartition("|"): offset for name, offset in stored.items()}
    return {(topic, int(partition)): offset for (topic, _, partition), offset in parts.items()}


def blocked_by(switch: Switch, known: Switches) -> list[str]:
    """What it reads and is not on; what nobody has met does not count."""
    return [name for name in switch.reads if name in known and not known[name].on]


def held_back(known: Switches, confirmed: Offsets) -> dict[str, Switch]:
    """Those that are on and read what is not: each waits from what is confirmed on."""
    blocked = {name: blocked_by(switch, known) for name, switch in known.items() if switch.on}
    return {
        name: known[name].turned_off(WAITING, f"waits for {', '.join(copies)}", "", confirmed)
        for name, copies in blocked.items()
        if copies
    }


def met(known: Switches, reactions: Sequence[AnyReaction], confirmed: Offsets) -> dict[str, Switch]:
    """What changes when a version with these reactions starts; a new one is on only where the group has read nothing.

    Its past would be missing otherwise, and a memory that starts in the middle must not claim the beginning.
    """
    changed: dict[str, Switch] = {}
    for reaction in reactions:
        reads = read_by(reaction)
        old = known.get(reaction.name) or Switch(reaction.name, OFF if confirmed else ON, now())
        if reaction.name not in known or old.reads != reads:
            changed[reaction.name] = replace(old, reads=reads)
    return changed | held_back({**known, **changed}, confirmed)


def off(known: Switches, reasons: Mapping[str, str], by: str, confirmed: Offsets) -> dict[str, Switch]:
    """What changes when these are turned off, each for its reason: they, and those that read what they keep."""
    changed = {
        name: known[name].turned_off(OFF, reason, by, confirmed)
        for name, reason in reasons.items()
        if name in known and known[name].state != OFF
    }
    return changed | held_back({**known, **changed}, confirmed)


def started_with(name: str, known: Switches) -> list[str]:
    """A reaction and those that wait for nothing else, in the order in which they have to catch up."""
    after = {n: replace(switch, state=ON) if n == name else switch for n, switch in known.items()}
    waiting = [n for n, s in known.items() if s.state == WAITING and name in s.reads and not blocked_by(s, after)]
    return [name, *sorted(waiting)]


def read_by(reaction: AnyReaction) -> tuple[str, ...]:
    """The reactions that keep the copies which this one reads."""
    return tuple(sorted(f"copy-{kind.entity_type}" for kind in reaction.reads))


def among(reactions: Sequence[AnyReaction], known: Switches) -> list[AnyReaction]:
    """Those that are on."""
    names: Collection[str] = {name for name, switch in known.items() if switch.on}
    return [reaction for reaction in reactions if reaction.name in names]
