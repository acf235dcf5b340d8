"""The supervisor: its configuration, its start, and the calls over its socket."""

import http.client
import os
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from supervisor.xmlrpc import SupervisorTransport

from deploy.local.home import CHECKOUT, Home
from deploy.local.logs import last_lines
from deploy.local.processes import STARTED_AFTER, Process
from deploy.local.trouble import Trouble

Lifetime = Literal["stays", "tied"]
TETHER = (sys.executable, "-IS", str(CHECKOUT / "deploy" / "local" / "tether.py"))
START_SECONDS = 15
# The errors of supervisord for a process that already runs, or no longer runs.
ALREADY_STARTED, NOT_RUNNING = 60, 70

HEAD = """\
; Written by `linli up`.
[supervisord]
nodaemon=true
silent=true
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={run}/supervisord.pid
childlogdir={logs}
directory={checkout}
umask=077

[unix_http_server]
file={socket}
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
PROGRAM = """
[program:{name}]
command={command}
environment={environment}
autostart=false
autorestart=true
startsecs={startsecs}
startretries=1000
stopwaitsecs=25
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
"""


@dataclass(frozen=True)
class Seen:
    """The supervisor's view of one process; `started` is in seconds of the epoch."""

    state: str
    pid: int
    started: float


def write(home: Home, rows: Mapping[Process, tuple[tuple[str, ...], Mapping[str, str]]]) -> None:
    """Write the supervisor's configuration: each process with its command and its environment."""
    head = HEAD.format(logs=home.logs, run=home.run, checkout=CHECKOUT, socket=home.socket)
    programs = (_program(home, process, *row) for process, row in rows.items())
    configuration(home).write_text(head + "".join(programs))


def configuration(home: Home) -> Path:
    """The supervisor's configuration file."""
    return home.run / "supervisord.conf"


def start(home: Home, lifetime: Lifetime) -> None:
    """Start the supervisor, detached or tied to this process, and wait until it listens."""
    tether = TETHER if lifetime == "tied" else ()
    command = [*tether, sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration(home))]
    bare = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    with home.log("supervisord.start").open("wb") as log:
        quiet = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        started = subprocess.Popen(command, env=bare, cwd=CHECKOUT, start_new_session=True, **quiet)  # type: ignore[call-overload]
    deadline = time.monotonic() + START_SECONDS
    while not is_running(home):
        if started.poll() is not None or time.monotonic() > deadline:
            lines = last_lines(home.log("supervisord.start"), 5)
            raise Trouble("The supervisor did not start: fix what its last lines say, then repeat.", lines=lines)
        time.sleep(0.05)


def is_running(home: Home) -> bool:
    """Whether the supervisor of this home answers."""
    try:
        return bool(ask(home, "getState")["statename"] == "RUNNING")
    except OSError:
        return False


def pid(home: Home) -> int:
    """The supervisor's own process."""
    return int(ask(home, "getPID"))


def seen(home: Home) -> dict[str, Seen]:
    """Every process that the supervisor knows, by name."""
    known = ask(home, "getAllProcessInfo")
    return {one["name"]: Seen(one["statename"], one["pid"], float(one["start"])) for one in known}


def start_process(home: Home, name: str) -> None:
    """Start a process without waiting; one that runs already is left alone."""
    _tolerating(ALREADY_STARTED, home, "startProcess", name, False)


def stop_process(home: Home, name: str) -> None:
    """Ask a process to stop without waiting; one that does not run is left alone."""
    _tolerating(NOT_RUNNING, home, "stopProcess", name, False)


def ask(home: Home, method: str, *args: Any) -> Any:
    """One call of the supervisor's XML-RPC interface; OSError if it does not answer."""
    transport = SupervisorTransport(None, None, f"unix://{home.socket}")
    try:
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        return getattr(proxy.supervisor, method)(*args)
    except (http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
        raise ConnectionError(str(error)) from error
    finally:
        transport.close()


def _tolerating(code: int, home: Home, method: str, *args: Any) -> None:
    try:
        ask(home, method, *args)
    except xmlrpc.client.Fault as fault:
        if fault.faultCode != code:
            raise


def _program(home: Home, process: Process, command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    return PROGRAM.format(
        name=process.name,
        command=_escaped(shlex.join((*TETHER, *command))),
        environment=",".join(f"{name}={_quoted(value)}" for name, value in environment.items()),
        startsecs=STARTED_AFTER[process.kind],
        log=_escaped(str(home.log(process.name))),
    )


def _quoted(value: str) -> str:
    """Quoted for the configuration: the supervisor knows no escapes, strips quotes at both ends, and takes ; and # for
    comments."""
    if value != value.strip("'") or any(mark in value for mark in ('"', " ;", " #", "\n")):
        raise Trouble(f"A setting cannot hold double quotes, quotes at its ends, ' ;', ' #' or a new line: {value!r}.")
    return f'"{_escaped(value)}"'


def _escaped(text: str) -> str:
    """The supervisor expands %(…)s in every value, so % is doubled."""
    return text.replace("%", "%%")
