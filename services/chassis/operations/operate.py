"""One operation of an operator in a process of its own: ``python -m services.requests operate``."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn

import orjson
from pydantic import ValidationError

from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging.kafka import BrokerAway, TopicMissing
from services.chassis.operations.answering import Answer, CannotAnswer, Plain, Say, quietly
from services.chassis.operations.protocol import REQUEST, AnyRequest, Request, SettingsRequest
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import Settings, load, names
from services.chassis.telemetry import logs
from services.chassis.telemetry.lazy import lazy_import

Work = Callable[[Service, Settings, AnyRequest, Say], Awaitable[Answer]]

WORK = {
    "verify": ("services.chassis.operations.ledger.verify", "verify"),
    "audit": ("services.chassis.operations.ledger.chains", "audit"),
    "rebuild": ("services.chassis.operations.ledger.rebuild", "rebuild"),
    "backfill": ("services.chassis.operations.backfill", "backfill"),
    "republish": ("services.chassis.operations.republish", "republish"),
    "examine": ("services.chassis.operations.doctor.examine", "examination"),
}
"""By operation its module and function; loaded when asked for."""
_TROUBLES = (CannotAnswer, BrokerAway, Unavailable, TopicMissing, TimeoutError)


def run(service: Service) -> NoReturn:
    """Do what stdin asks for; ends with 0 where all is well, 1 where not, 2 where it cannot be done now."""
    try:
        request = REQUEST.validate_json(sys.stdin.buffer.read())
    except ValidationError as error:
        _end(f"this is not a request: {error.error_count()} errors, first {error.errors()[0]['msg']}")
    answer = _answered(service, request)
    sys.stdout.buffer.write(orjson.dumps(answer.document()) + b"\n")
    raise SystemExit(0 if answer.clean else 1)


def _answered(service: Service, request: AnyRequest) -> Answer:
    if isinstance(request, SettingsRequest):
        return Plain({"names": names(service.settings)})
    settings = load(service.name, service.settings)
    logs.start(service.name, request.operation, "error")
    work: Work = lazy_import(*WORK[request.operation])

    async def answer() -> Answer:
        return await work(service, settings, request, _saying(request))

    try:
        return asyncio.run(answer())
    except _TROUBLES as error:
        _end(f"{service.name} cannot answer {request.operation}: {error}")


def _saying(request: Request) -> Say:
    if request.progress:
        return lambda what: print(what, file=sys.stderr, flush=True)  # noqa: T201
    return quietly


def _end(sentence: str) -> NoReturn:
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(2)
