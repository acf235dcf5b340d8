"""On what and of what a run was made: the machine, the versions, the commit."""

import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psutil

from deploy.local import tools
from deploy.local.home import CHECKOUT

_POM = "{http://maven.apache.org/POM/4.0.0}"


def facts() -> dict[str, Any]:
    """All of it, as the head of a report."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "cpu": _cpu(),
            "cores": psutil.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "system": platform.platform(terse=True),
            "load_before": round(psutil.getloadavg()[0], 2),
        },
        "versions": {
            "python": platform.python_version(),
            **{
                name: metadata.version(name)
                for name in ("fastapi", "uvicorn", "motor", "pymongo", "aiokafka", "faststream")
            },
            "mongod": _first(r"v([\d.]+)", tools.mongod(), "--version"),
            "kafka": _kafka(),
            "envoy": _first(r"/([\d.]+)/", tools.envoy(), "--version"),
        },
    }


def _commit() -> str:
    """The commit, marked where the tree differs from it."""
    commit = _first(r"(\w+)", "git", "rev-parse", "--short=12", "HEAD")
    changed = _said("git", "status", "--porcelain", "--untracked-files=no").strip()
    return f"{commit} with changes" if commit and changed else commit


def _cpu() -> str:
    """The model of the processor, as Linux tells it."""
    reported = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", reported.read_text()) if reported.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def _kafka() -> str:
    """The version that the stack fetches."""
    pom = ElementTree.parse(CHECKOUT / "deploy" / "local" / "kafka" / "pom.xml")
    for wanted in pom.iter(f"{_POM}dependency"):
        if "kafka" in (wanted.findtext(f"{_POM}artifactId") or ""):
            return wanted.findtext(f"{_POM}version") or ""
    return ""


def _first(pattern: str, *command: str) -> str:
    found = re.search(pattern, _said(*command))
    return found[1] if found else ""


def _said(*command: str) -> str:
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False).stdout
