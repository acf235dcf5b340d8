"""A driver's log of commands, and whether each had its effect as often as its answer said (L1, L2).

The log is a file of JSON lines, one for each command or for each try of it, written when its answer is known:

``id``        the driver's name for the command; all tries of one command share it
``method``    POST, PUT, PATCH or DELETE
``path``      as sent, such as ``/v1/requests/case_8f3k/team``
``actor``     who asked: the account id in the token (``sub``), ``anonymous`` without one
``key``       the Idempotency-Key that was sent
``entity``    the id of the entity in the answer, or null
``start``     when it was sent, ``end`` when the answer was there: ISO 8601 with zone
``outcome``   ``ok`` (2xx), ``rejected`` (4xx), ``unknown`` (no answer, or 5xx)
``status``    the HTTP status, null without an answer
``version``   the version that the answer told, or null
``etag``      the answer's ETag as sent, or null

Where a command has several lines the strongest counts: ok, then unknown, then rejected. Commands that record nothing
when they succeed, and those that leave a trace when refused (a wrong sign-in code), do not belong into the log. A last
line that is cut off is passed over: the driver may still be writing.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from services.chassis.domain.checks import CheckResult
from services.chassis.http.routes import Routes
from services.chassis.operations.answering import CannotAnswer

_STRENGTH = ("rejected", "unknown", "ok")
_ETAG = re.compile(r'(?:W/)?"(\d+)"')


class LogUnreadable(CannotAnswer):
    """A driver's log does not exist, or one of its lines has the wrong format."""


class Command(BaseModel):
    """One line of a driver's log."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    method: str
    path: str
    actor: str
    key: str
    entity: str | None = None
    start: AwareDatetime
    end: AwareDatetime
    outcome: Literal["ok", "rejected", "unknown"]
    status: int | None = None
    version: int | None = None
    etag: str | None = None

    @property
    def cause(self) -> str:
        """The cause in a history, if the command was applied."""
        return f"http:{self.actor}:{self.method}:{self.path}:{self.key}"

    @property
    def versions(self) -> set[int]:
        """The versions that the answer stated; one, unless it contradicts itself."""
        etag = _ETAG.fullmatch(self.etag or "")
        return {int(v) for v in (self.version, etag and etag[1]) if v is not None}


class Commands:
    """The commands of a driver's log that one service answered, and where their causes were found."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._asked: dict[str, Command] = {}
        self._met: dict[str, list[tuple[str, int]]] = {}
        for command in commands:
            known = self._asked.get(command.cause)
            if known is None or _STRENGTH.index(command.outcome) > _STRENGTH.index(known.outcome):
                self._asked[command.cause] = command

    def meet(self, cause: str, entity: str, version: int) -> None:
        """A history contains a write of this cause, which left its entity at this version."""
        if cause in self._asked:
            self._met.setdefault(cause, []).append((entity, version))

    def lines(self) -> list[CheckResult]:
        """L1 and L2."""
        accepted, others = CheckResult("L1"), CheckResult("L2")
        for cause, command in self._asked.items():
            met = self._met.get(cause, [])
            if command.outcome == "ok":
                accepted.count("accepted")
                self._accepted(accepted, command, met)
            else:
                others.count("refused" if command.outcome == "rejected" else "unknown")
                self._other(others, command, met)
        return [accepted, others]

    def _accepted(self, line: CheckResult, command: Command, met: Sequence[tuple[str, int]]) -> None:
        if len(met) != 1:
            line.breach(f"{_named(command)} was accepted and is in histories {len(met)} times: {_places(met)}")
            return
        entity, version = met[0]
        if command.entity not in (None, entity):
            line.breach(f"{_named(command)} was answered with {command.entity}, and changed {entity}")
        if command.versions - {version}:
            answered = f"was answered with version {sorted(command.versions)}"
            line.breach(f"{_named(command)} {answered}, and left {entity} at {version}")

    def _other(self, line: CheckResult, command: Command, met: Sequence[tuple[str, int]]) -> None:
        if command.outcome == "unknown":
            line.count("unknown, had its effect", len(met) == 1)
        if len(met) > (command.outcome == "unknown"):
            line.breach(f"{_named(command)} is {command.outcome} and in histories {len(met)} times: {_places(met)}")


def read(file: Path, routes: Sequence[Routes]) -> Commands:
    """The commands for one of these routes; LogUnreadable names the first wrong line."""
    patterns = [(route.method, _pattern(table.prefix + route.path)) for table in routes for route in table.routes]
    return Commands(command for command in each(file) if _ours(command, patterns))


def each(file: Path) -> Iterator[Command]:
    """All lines of a driver's log; LogUnreadable names the first wrong one."""
    try:
        with file.open("rb") as lines:
            yield from (_parsed(file, n, raw) for n, raw in enumerate(lines, 1) if raw.endswith(b"\n"))
    except OSError as error:
        raise LogUnreadable(f"{file}: {error.strerror}") from error


def _parsed(file: Path, number: int, raw: bytes) -> Command:
    try:
        return Command.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        problem = " ".join([*map(str, first["loc"]), first["msg"]])
        raise LogUnreadable(f"{file}, line {number}: {problem}") from None


def _ours(command: Command, patterns: Sequence[tuple[str, re.Pattern[str]]]) -> bool:
    return any(method == command.method and path.fullmatch(command.path) for method, path in patterns)


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", path)
    return re.compile("[^/]+".join(re.escape(part) for part in parts))


def _named(command: Command) -> str:
    return f"command {command.id} ({command.method} {command.path})"


def _places(met: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{entity}:{version}" for entity, version in met[:3]) or "none"
