"""Tokens for everybody who acts in a measurement, signed with the stack's own key: no sign-in is measured here."""

from datetime import UTC, datetime, timedelta

from deploy.local import Stack
from services.chassis.domain.scope import Actor
from services.chassis.http.signing import Signer

# Nothing is measured for longer than that, and no service takes a token that lives longer.
LIFE = timedelta(hours=1)


class Badges:
    """Signs for the stack; every ``number`` is a subject of its own, as many people would be."""

    def __init__(self, stack: Stack) -> None:
        environment = stack.environment("members", "web")
        self._signer = Signer(stack.layout.token_keys, environment["LINLI_ISSUER"], environment["LINLI_AUDIENCE"])

    def resident(self, person: str) -> str:
        """Whoever this person is, as the resident they are."""
        return self._signed(Actor(f"account_of_{person}", frozenset({"resident"}), person=person))

    def staff(self, role: str, place: str, *organisations: str, number: int = 0) -> str:
        """One of the staff with a role for a place, working for organisations."""
        actor = Actor(f"account_bench{role}{number}", frozenset({role}), (place,), organisations)
        return self._signed(actor)

    def _signed(self, actor: Actor) -> str:
        return self._signer.sign(actor, datetime.now(UTC), LIFE)
