"""A request to a service: `python -m services.requests operate`, answered as one JSON document."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from deploy.cli import screen
from deploy.local import Stack, Trouble
from services.chassis.operations.protocol import Request

CLEAN, BROKEN = 0, 1


def operating(service: str) -> tuple[str, ...]:
    """The process that takes one request on stdin."""
    return (sys.executable, "-m", f"services.{service}", "operate")


def ask_each(stack: Stack, services: Sequence[str], request: Callable[[str], Request]) -> list[dict[str, Any]]:
    """The answers of these services, asked at the same time; ``request`` says what of each. As ``ask``."""
    with screen.progress() as report, ThreadPoolExecutor(len(services)) as at_once:
        asked = [at_once.submit(ask, stack, service, request(service), report) for service in services]
        return [one.result() for one in asked]


def ask(stack: Stack, service: str, request: Request, report: Callable[[str, str], None]) -> dict[str, Any]:
    """The answer of one service, whatever it says; Trouble if there is none."""
    shown = screen.STDERR.is_terminal
    settings = {**os.environ, **stack.environment(service, "operate")}
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as answer:
        asked.write(request.model_copy(update={"progress": shown}).model_dump_json().encode())
        asked.seek(0)
        with subprocess.Popen(
            operating(service), stdin=asked, stdout=answer, stderr=subprocess.PIPE, env=settings, text=True
        ) as process:
            said = [_passed_on(service, line, report) for line in process.stderr or ()]
        answer.seek(0)
        text = answer.read()
    if process.returncode not in (CLEAN, BROKEN) or not text:
        sentence = f"{service} cannot answer `{request.operation}` now: fix what its last lines say, then repeat."
        raise Trouble(sentence, lines=tuple(said[-5:]))
    if shown:
        report(service, "done")
    found: dict[str, Any] = orjson.loads(text)
    return found


def _passed_on(service: str, line: str, report: Callable[[str, str], None]) -> str:
    if screen.STDERR.is_terminal:
        report(service, line.rstrip())
    return line.rstrip()
