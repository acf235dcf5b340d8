"""The driver's log of a replay: one line for every command, with what became of it; `linli verify` reads it."""

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from deploy.cli.city.client import Answer
from deploy.local import Trouble


class Ledger:
    """A file of JSON lines, one for each command, as ``services.chassis.operations.ledger.commands`` reads it.

    It also keeps the latencies of those that were done, in seconds by kind of command. Trouble where the file cannot
    be written.
    """

    def __init__(self, file: Path) -> None:
        try:
            self._file = file.open("wb")
        except OSError as error:
            advice = "name a file in a folder that is there, with --ledger"
            raise Trouble(f"{file} cannot be written ({error.strerror}): {advice}.") from error
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.outcomes: dict[str, int] = defaultdict(int)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: Any, __: TracebackType | None) -> None:
        self._file.close()

    def write(
        self, kind: str, actor: str, request: tuple[str, str, str], began: datetime, answer: Answer | None
    ) -> None:
        """Note a command of a ``kind`` (for its latency); ``request`` is method, path and key."""
        method, path, key = request
        outcome = _outcome(answer)
        line = {
            "id": f"{actor}:{method}:{path}:{key}",
            "actor": actor,
            "method": method,
            "path": path,
            "key": key,
            "entity": _entity(answer),
            "start": began,
            "end": datetime.now(UTC),
            "outcome": outcome,
            "status": answer.status if answer else None,
            "version": answer.version if answer else None,
            "etag": answer.headers.get("ETag") if answer else None,
        }
        self._file.write(orjson.dumps(line) + b"\n")
        self._file.flush()
        self.outcomes[outcome] += 1
        if answer is not None and outcome == "ok":
            self.seconds[kind].append(answer.seconds)


def _outcome(answer: Answer | None) -> str:
    if answer is None or answer.status >= 500:
        return "unknown"
    return "ok" if answer.ok else "rejected"


def _entity(answer: Answer | None) -> str | None:
    return answer.body.get("id") if answer and answer.ok and isinstance(answer.body, dict) else None
