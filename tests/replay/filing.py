"""The desk at which a replay works: every command goes through it, and from it into the ledger."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deploy.cli.city.client import Answer, Gateway, Refused
from deploy.cli.city.tokens import Bearer
from deploy.local import Trouble
from tests.replay.ledger import Ledger


@dataclass(frozen=True)
class CommandSender:
    """Asks the gateway on somebody's behalf; ``run`` makes the keys of one run those of no other."""

    gateway: Gateway
    ledger: Ledger
    run: str

    async def command(self, who: Bearer, kind: str, request: tuple[str, str, str], body: Any = None) -> Any:
        """Do a command of a ``kind`` (method, path, key) and return its answer's body; Refused where it is a no.

        It is repeated with the same key until it is answered; Unanswered, and unknown in the ledger, where nobody does.
        """
        method, path, key = request
        key = f"replay:{self.run}:{key}"
        token, began = await who.token(), datetime.now(UTC)
        answer: Answer | None = None
        try:
            answer = await self.gateway.ask(method, path, token=token.value, key=key, body=body)
        finally:
            self.ledger.write(kind, token.actor, (method, path, key), began, answer)
        return answer.expect(kind)

    async def unlogged(self, who: Bearer, method: str, path: str, key: str, body: Any) -> Any:
        """Do a command that may find everything done already and record nothing: it is not for the ledger."""
        token = (await who.token()).value
        answer = await self.gateway.ask(method, path, token=token, key=f"replay:{self.run}:{key}", body=body)
        return answer.expect(f"{method} {path}")

    async def ask(self, who: Bearer, method: str, path: str, body: Any = None) -> Any:
        """Ask something that changes nothing, or nothing that a history would keep."""
        token = await who.token()
        return (await self.gateway.ask(method, path, token=token.value, body=body)).expect(f"{method} {path}")


def reason(error: Exception) -> str:
    """Why something did not go on, without anybody's words: what was asked, the status, the code."""
    if isinstance(error, Refused):
        return f"{error.what}: {error.answer.status} {error.answer.code}"
    if isinstance(error, Trouble):
        return error.sentence
    return type(error).__name__
