"""Logs: one JSON object a line on standard output, with the trace id; never personal data."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import structlog


def start(service: str, role: str, level: str) -> None:
    """Set up logging for this process; the lines of libraries take the same form."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_traced),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)
    structlog.contextvars.bind_contextvars(service=service, role=role)


def started(version: str) -> None:
    """Log the start of the process: otherwise a restart would leave no trace."""
    get().info("the process started", version=version, pid=os.getpid())


def get() -> Any:
    """The logger: ``log.info("case filed", case=id)``."""
    return structlog.get_logger()


def safe_text(error: BaseException) -> str:
    """The class of an error, with its text only if the error is our own.

    Other errors repeat their input: a wrong value, a whole document.
    """
    kind = type(error)
    return f"{kind.__name__}: {error}" if kind.__module__.startswith("services.") else kind.__name__


def _traced(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    return "\n".join(_story(exc_info[1]))


def _story(error: BaseException) -> Iterator[str]:
    """As Python prints it: cause, traceback, error, and the members of a group."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _story(before)
        yield "which led to"
    yield "Traceback (most recent call last):"
    yield from (line.rstrip() for line in traceback.format_tb(error.__traceback__))
    yield safe_text(error)
    for part in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from (f"  {line}" for line in _story(part))
