"""The services, each asked in a process of its own, and the processes that run."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import orjson

from deploy.cli.examining import lines
from deploy.cli.examining.lines import Line
from deploy.local import Stack, health
from deploy.local.processes import SERVICES
from services.chassis.operations.doctor.findings import Finding, ok, wrong

SECONDS = 60
"""What takes longer is not waited for: an examination itself ends after ten, unless the machine is at its end."""


def examine(stack: Stack, service: str) -> list[Line]:
    """What one service tells of itself and of what it stands on."""
    typed = (sys.executable, "-m", f"services.{service}", "examine", "--json")
    settings = {**os.environ, **stack.environment(service, "web")}
    try:
        done = subprocess.run(typed, env=settings, capture_output=True, text=True, check=False, timeout=SECONDS)
        found = orjson.loads(done.stdout)["findings"]
    except subprocess.TimeoutExpired:
        return lines.of(
            service, [wrong("service", f"did not answer within {SECONDS} s", "repeat it; see linli status")]
        )
    except (orjson.JSONDecodeError, KeyError):
        said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return lines.of(service, [wrong("settings", said, "correct what that says, then restart")])
    return [{"where": service, **finding} for finding in found]


def settings() -> list[str]:
    """The names of all settings that a service reads."""
    with ThreadPoolExecutor(len(SERVICES)) as at_once:
        return [name for some in at_once.map(_settings, SERVICES) for name in some]


def _settings(service: str) -> list[str]:
    typed = (sys.executable, "-m", f"services.{service}", "settings")
    return subprocess.run(typed, capture_output=True, text=True, check=True, timeout=SECONDS).stdout.split()


def processes(stack: Stack) -> list[Finding]:
    """Those that are to run and do not, or are not ready."""
    found = health.look(stack.layout).processes
    bad = [one for one in found if not one.ready]
    if bad:
        return [
            wrong("processes", f"{one.name} is not ready {one.said}".strip(), f"linli logs {one.name}") for one in bad
        ]
    return [ok("processes", f"all {len(found)} are ready")]
