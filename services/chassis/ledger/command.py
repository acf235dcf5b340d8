"""The ledger's command line: ``python -m services.requests verify [--json] [--ledger FILE] …``."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from services.chassis.domain.refusals import Unavailable
from services.chassis.ledger.commands import LogUnreadable
from services.chassis.ledger.lag import Unanswered
from services.chassis.ledger.report import Say
from services.chassis.ledger.verify import Question, quietly, verify
from services.chassis.messaging.kafka import BrokerAway, TopicMissing
from services.chassis.ops import logs
from services.chassis.ops.service import Service
from services.chassis.ops.settings import Settings

_TROUBLES = (BrokerAway, Unavailable, LogUnreadable, Unanswered, TopicMissing)


def run(service: Service, settings: Settings, words: Sequence[str]) -> None:
    """Print the report; ends with 0 where all holds, 1 where a promise is broken, 2 where it cannot be told."""
    given = _parser(service).parse_args(words)
    question = Question(given.ledger, tuple(given.worker), given.within)
    logs.start(service.name, "verify", "error")
    try:
        report = asyncio.run(verify(service, settings, question, _say(given)))
    except _TROUBLES as error:
        sys.stderr.write(f"{service.name} cannot be verified: {error}\n")
        raise SystemExit(2) from None
    text = orjson.dumps(report.document(), option=orjson.OPT_INDENT_2).decode() if given.json else report.text()
    sys.stdout.write(f"{text}\n")
    raise SystemExit(0 if report.clean else 1)


def _parser(service: Service) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        f"python -m services.{service.name} verify", description="Check what this service promised, on live data."
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--ledger", type=Path, metavar="FILE", help="a driver's log of commands, for L1 and L2")
    parser.add_argument(
        "--worker", action="append", default=[], metavar="URL", help="a worker whose gauges are to agree; repeatable"
    )
    parser.add_argument(
        "--within", type=float, default=60, metavar="SECONDS", help="for relay and consumers to catch up"
    )
    parser.add_argument("--progress", action="store_true", help="lines on stderr, also where it is no terminal")
    return parser


def _say(given: argparse.Namespace) -> Say:
    if given.progress:
        return lambda what: print(what, file=sys.stderr, flush=True)  # noqa: T201
    if sys.stderr.isatty():
        return lambda what: print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)  # noqa: T201
    return quietly
