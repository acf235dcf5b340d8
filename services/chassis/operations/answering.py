"""What the command lines of a service share: their words, their progress, and an answer as JSON or in lines."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import orjson

from services.chassis.telemetry import logs

Say = Callable[[str], None]
"""Where progress is told."""
Found = TypeVar("Found")


def quietly(what: str) -> None:
    """Tells nobody."""


def parser(service: str, role: str, what: str) -> argparse.ArgumentParser:
    """The words that every role takes: ``--json`` and ``--progress``."""
    words = argparse.ArgumentParser(f"python -m services.{service} {role}", description=what)
    words.set_defaults(service=service, role=role)
    words.add_argument("--json", action="store_true", help="one JSON document")
    words.add_argument("--progress", action="store_true", help="lines on stderr, also where it is no terminal")
    return words


def instant(text: str) -> datetime:
    """A time that was typed (ISO 8601); without a zone it is that of this machine."""
    return datetime.fromisoformat(text).astimezone()


def saying(given: argparse.Namespace) -> Say:
    """Where progress is told."""
    if given.progress:
        return lambda what: print(what, file=sys.stderr, flush=True)  # noqa: T201
    if sys.stderr.isatty():
        return lambda what: print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)  # noqa: T201
    return quietly


def answered(
    given: argparse.Namespace, work: Coroutine[Any, Any, Found], troubles: tuple[type[Exception], ...]
) -> Found:
    """What the work found; where one of these troubles came, it is said in one sentence and the process ends with 2."""
    logs.start(given.service, given.role, "error")
    try:
        return asyncio.run(work)
    except troubles as error:
        sys.stderr.write(f"{given.service} cannot answer {given.role}: {error}\n")
        raise SystemExit(2) from None


def conclude(given: argparse.Namespace, found: Mapping[str, Any], text: str, *, well: bool) -> NoReturn:
    """Print it, and end with 0 where all is well, else with 1."""
    shown = orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() if given.json else text
    sys.stdout.write(f"{shown}\n")
    raise SystemExit(0 if well else 1)
