"""The services' own checks, each in a process of its own, and the running processes."""

import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import orjson

from deploy.cli.asking import operating
from deploy.cli.examining import lines
from deploy.cli.examining.lines import Line
from deploy.local import Stack, health
from deploy.local.processes import SERVICES
from services.chassis.operations.doctor.findings import Finding, ok, wrong
from services.chassis.operations.protocol import ExamineRequest, Request, SettingsRequest

SECONDS = 60
"""A check that takes longer is abandoned; it ends by itself after ten seconds, unless the machine is overloaded."""


def examine(stack: Stack, service: str) -> list[Line]:
    """The findings of one service about itself."""
    settings = {**os.environ, **stack.environment(service, "web")}
    try:
        done = _asked(service, ExamineRequest(), settings)
        found = orjson.loads(done.stdout)["findings"]
    except subprocess.TimeoutExpired:
        return lines.of(
            service, [wrong("service", f"did not answer within {SECONDS} s", "repeat it; see linli status")]
        )
    except (orjson.JSONDecodeError, KeyError):
        said = (done.stderr.strip().splitlines() or ["it ended without a message"])[-1]
        return lines.of(service, [wrong("settings", said, "correct what that says, then restart")])
    return [{"where": service, **finding} for finding in found]


def settings() -> list[str]:
    """The names of all settings that a service reads."""
    with ThreadPoolExecutor(len(SERVICES)) as at_once:
        answers = at_once.map(lambda service: _asked(service, SettingsRequest(), os.environ), SERVICES)
        return [name for answer in answers for name in orjson.loads(answer.stdout)["names"]]


def _asked(service: str, request: Request, settings: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    asked, words = request.model_dump_json(), operating(service)
    return subprocess.run(
        words, input=asked, env=settings, capture_output=True, text=True, check=False, timeout=SECONDS
    )


def processes(stack: Stack) -> list[Finding]:
    """Processes that should run and do not, or are not ready."""
    found = health.look(stack.layout).processes
    bad = [one for one in found if not one.ready]
    if bad:
        return [
            wrong("processes", f"{one.name} is not ready {one.said}".strip(), f"linli logs {one.name}") for one in bad
        ]
    return [ok("processes", f"all {len(found)} are ready")]
