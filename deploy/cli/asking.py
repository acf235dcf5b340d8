"""A question to a service: `python -m services.requests verify`, answered as one JSON document."""

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

CLEAN, BROKEN = 0, 1


def ask_each(
    stack: Stack, services: Sequence[str], role: str, words: Callable[[str], Sequence[str]]
) -> list[dict[str, Any]]:
    """The answers of these services, asked at the same time; ``words`` says with which words each. As ``ask``."""
    with screen.progress() as report, ThreadPoolExecutor(len(services)) as at_once:
        asked = [at_once.submit(ask, stack, service, role, words(service), report) for service in services]
        return [one.result() for one in asked]


def ask(
    stack: Stack, service: str, role: str, words: Sequence[str], report: Callable[[str, str], None]
) -> dict[str, Any]:
    """The answer of one service, whether all is well or not; Trouble where it cannot be had."""
    shown = ("--progress",) if screen.STDERR.is_terminal else ()
    typed = (sys.executable, "-m", f"services.{service}", role, "--json", *words, *shown)
    settings = {**os.environ, **stack.environment(service, role)}
    with tempfile.TemporaryFile() as answer:
        with subprocess.Popen(typed, stdout=answer, stderr=subprocess.PIPE, env=settings, text=True) as process:
            said = [_passed_on(service, line, report) for line in process.stderr or ()]
        answer.seek(0)
        text = answer.read()
    if process.returncode not in (CLEAN, BROKEN) or not text:
        sentence = f"{service} cannot answer `{role}` now: mend what its last lines say, then repeat."
        raise Trouble(sentence, lines=tuple(said[-5:]))
    if shown:
        report(service, "done")
    found: dict[str, Any] = orjson.loads(text)
    return found


def _passed_on(service: str, line: str, report: Callable[[str, str], None]) -> str:
    if screen.STDERR.is_terminal:
        report(service, line.rstrip())
    return line.rstrip()
