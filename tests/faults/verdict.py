"""The verdict after a fault: the ledger of all services, asked here as `linli verify` asks it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import Stack
from services.chassis.domain.checks import CheckResult
from services.chassis.operations.ledger.verify import verify
from services.chassis.operations.protocol import VerifyRequest
from services.chassis.runtime.settings import Settings
from services.chassis.storage.mongo import connect
from tests.faults.dying import SERVICES
from tests.faults.providers import Providers
from tests.support.operating import settings_of

PLANTED = "planted"
"""How the keys of records begin that a fault has put on a topic: they are in no history, and L5 has to say so."""
_UNREADABLE = "is not an event of this service"
_WITHIN = 90.0


@dataclass(frozen=True)
class Broken:
    """A line with breaches."""

    service: str
    check: str
    about: str
    breaches: int
    examples: Sequence[str]

    def reported(self) -> str:
        """In words."""
        about = f" [{self.about}]" if self.about else ""
        return f"{self.service} {self.check}{about}: {self.breaches} breaches, {'; '.join(self.examples[:3])}"


def settings(stack: Stack, service: str, role: str = "verify") -> Settings:
    """The settings of a process of a stack, here."""
    return settings_of(stack.environment(service, role))


async def judge(
    stack: Stack, log: Path, planted: Mapping[str, int], providers: Providers | None = None
) -> list[Broken]:
    """What is broken, besides that planted records (how many, by service) are in no history."""
    found = await asyncio.gather(*(_service(stack, name, log, planted.get(name, 0)) for name in SERVICES))
    return [*(one for some in found for one in some), *(await _outside(stack, providers) if providers else [])]


async def _service(stack: Stack, name: str, log: Path, planted: int) -> list[Broken]:
    service = SERVICES[name]
    workers = tuple(stack.layout.address(worker.name) for worker in stack.layout.several(name, "worker"))
    question = VerifyRequest(log=log, workers=workers, within=_WITHIN)
    report = await verify(service, settings(stack, service.name), question)
    return [_broken(name, line) for line in report.lines if line.breaches - _expected(line, planted)]


def _broken(service: str, line: CheckResult) -> Broken:
    return Broken(service, line.check, line.about, line.breaches, line.examples)


def _expected(line: CheckResult, planted: int) -> int:
    """How many breaches a line must have if records were planted; any other example counts in full."""
    ours = all(PLANTED in example or _UNREADABLE in example for example in line.examples)
    return planted if ours and (line.check, line.about) == ("L5", "topic") else 0


async def _outside(stack: Stack, providers: Providers) -> list[Broken]:
    """What is noted as taken by a provider that never saw it (G10)."""
    mongo = connect(stack.signed_in["notify"])
    missing = []
    for via, taken in (("sms", providers.texts), ("email", providers.mails)):
        made = {f"state.deliveries.{via}.state": "made"}
        ids = [f"{one['_id']}:{via}" async for batch in mongo.each("messages", made, {"_id": 1}) for one in batch]
        missing += [id for id in ids if id not in taken and id.replace(":", ".") not in taken]
    await mongo.close()
    return [Broken("notify", "G10", "providers", len(missing), missing)] if missing else []
