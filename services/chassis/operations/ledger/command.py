"""The ledger's command lines: ``python -m services.requests verify|audit|rebuild [--json] [--ledger FILE] …``."""

import argparse
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging.kafka import BrokerAway, TopicMissing
from services.chassis.operations import answering
from services.chassis.operations.ledger.chains import audit
from services.chassis.operations.ledger.commands import LogUnreadable
from services.chassis.operations.ledger.lag import Unanswered
from services.chassis.operations.ledger.rebuild import Wanted, rebuild
from services.chassis.operations.ledger.verify import Question, verify
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import Settings


class Told(Protocol):
    """What a command found."""

    @property
    def clean(self) -> bool:
        """Whether all is well."""

    def document(self) -> dict[str, Any]:
        """As JSON."""

    def text(self) -> str:
        """As plain lines."""


_TROUBLES = (BrokerAway, Unavailable, LogUnreadable, Unanswered, TopicMissing)


def run(service: Service, settings: Settings, words: Sequence[str]) -> None:
    """Print the report; ends with 0 where all holds, 1 where a promise is broken, 2 where it cannot be told."""
    given = _verifying(service).parse_args(words)
    question = Question(given.ledger, tuple(given.worker), given.within)
    _conclude(given, verify(service, settings, question, answering.saying(given)))


def run_audit(service: Service, settings: Settings, words: Sequence[str]) -> None:
    """Print whether audit log and histories are whole; ends as ``run``."""
    given = _auditing(service).parse_args(words)
    _conclude(given, audit(service, settings, given.since, answering.saying(given)))


def run_rebuild(service: Service, settings: Settings, words: Sequence[str]) -> None:
    """Print what differed from its history, and was mended; ends as ``run``, with 1 where a history is broken."""
    given = _rebuilding(service).parse_args(words)
    wanted = Wanted(given.kind, given.id, given.yes, given.again)
    _conclude(given, rebuild(service, settings, wanted, answering.saying(given)))


def _conclude(given: argparse.Namespace, work: Coroutine[Any, Any, Told]) -> NoReturn:
    told = answering.answered(given, work, _TROUBLES)
    answering.conclude(given, told.document(), told.text(), well=told.clean)


def _verifying(service: Service) -> argparse.ArgumentParser:
    parser = answering.parser(service.name, "verify", "Check what this service promised, on live data.")
    parser.add_argument("--ledger", type=Path, metavar="FILE", help="a driver's log of commands, for L1 and L2")
    parser.add_argument(
        "--worker", action="append", default=[], metavar="URL", help="a worker whose gauges are to agree; repeatable"
    )
    parser.add_argument(
        "--within", type=float, default=60, metavar="SECONDS", help="for relay and consumers to catch up"
    )
    return parser


def _auditing(service: Service) -> argparse.ArgumentParser:
    parser = answering.parser(
        service.name, "audit", "Check the audit log and the hash chains of all histories, on live data."
    )
    parser.add_argument(
        "--since",
        type=answering.instant,
        metavar="TIME",
        help="only audit entries from then on; histories always as a whole",
    )
    return parser


def _rebuilding(service: Service) -> argparse.ArgumentParser:
    parser = answering.parser(
        service.name, "rebuild", "Make the states of a kind again from their histories, on live data."
    )
    parser.add_argument("kind", metavar="KIND", help="such as case or message")
    parser.add_argument("--id", metavar="ID", help="only this one")
    parser.add_argument("--yes", action="store_true", help="write; without it nothing is changed")
    parser.add_argument("--again", action="store_true", help="from the start, not from where a run was interrupted")
    return parser
