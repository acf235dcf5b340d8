"""The reaction that keeps what was revoked: a service refuses tokens although another one has issued them."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.chassis.domain.events import Event, Origin
from services.chassis.domain.scope import LONGEST_TOKEN
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import Effect, Reaction, Write, reaction
from services.chassis.storage.mongo import Put
from services.chassis.storage.revocations import BELOW, COLLECTION, FIELD
from services.chassis.usecase import Context


@dataclass(frozen=True, slots=True)
class Revoke:
    """The tokens of a session or an account with a number below this one are refused until an instant."""

    subject: str
    until: datetime
    below: int

    @property
    def target(self) -> Hashable:
        """Whose tokens."""
        return Revoke, self.subject

    def writes(self, origin: Origin) -> Sequence[Write]:
        """One upsert; a repeat changes nothing that counts."""
        return [(COLLECTION, Put({"_id": self.subject}, {"$max": {FIELD: self.until, BELOW: self.below}}, upsert=True))]

    def recorded(self) -> Sequence[Event]:
        """It is no entity of ours."""
        return ()


def revoking(*events: type[Event]) -> Reaction:
    """The reaction to what ends the rights of tokens; each says of which, and until when they would be good."""

    async def revoke(ctx: Context, delivered: Delivered, event: Any) -> Sequence[Effect]:
        if event.tokens_until <= ctx.now():
            return ()
        # From now on, and not until the instant in the event: what is written later ends later, also where the event
        # was late, so a process need only read what ends later than the latest it knows.
        return [Revoke(delivered.entity, ctx.now() + LONGEST_TOKEN, event.tokens_below)]

    return reaction("revoke-tokens", *events)(revoke)
