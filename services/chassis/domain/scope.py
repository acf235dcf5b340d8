"""The actor, and the objects that an actor may see."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

SYSTEM = "system"
"""The role of reactions and timers: the system itself."""

PUBLIC = "public"
"""Everybody, even without signing in."""

LONGEST_TOKEN = timedelta(hours=1)
"""No token is taken that is good for longer."""


EVERY_TOKEN = 2**31 - 1
"""Above the number of any token: where less is refused, all are."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account with roles, and the places and organisations for which they hold.

    ``session`` is the session of the sign-in. ``until`` is the expiry of the token; a long-lived stream ends then.
    ``grants`` is the number of the token: how often the account's rights had been replaced when it was signed.
    """

    id: str
    roles: frozenset[str] = frozenset()
    places: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    person: str | None = None
    session: str | None = None
    until: datetime | None = None
    grants: int = 0

    def has(self, *roles: str) -> bool:
        """Whether the actor has one of these roles."""
        return not self.roles.isdisjoint(roles)

    def is_in_charge_of(self, path: Iterable[str]) -> bool:
        """Whether one of the actor's places is on the path, from the city down, of where something lies."""
        return not set(self.places).isdisjoint(path)


NOBODY = Actor("anonymous", frozenset({PUBLIC}))


def system_actor(name: str) -> Actor:
    """The actor of a reaction or a timer. It sees everything of its own service."""
    return Actor(name, frozenset({SYSTEM}))


@dataclass(frozen=True, slots=True)
class Visible:
    """Which documents an actor sees: all, or those in which one of some fields has one of some values."""

    everything: bool = False
    any_of: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())

    def where(self, name: str, *values: str | None) -> Self:
        """Extended by documents whose field ``name`` (as stored: ``under``, ``state.resident_id``) has one of these
        values."""
        known = tuple(v for v in values if v)
        return type(self)(self.everything, (*self.any_of, (name, known))) if known else self

    def filter(self) -> dict[str, Any]:
        """The condition on stored documents; it matches nothing for an actor who may see nothing."""
        if self.everything:
            return {}
        choices = [{name: values[0] if len(values) == 1 else {"$in": list(values)}} for name, values in self.any_of]
        if not choices:
            return {"_id": {"$in": []}}
        return choices[0] if len(choices) == 1 else {"$or": choices}


ALL = Visible(everything=True)
NONE = Visible()
