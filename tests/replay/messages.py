"""A ledger of residents' messages: JSON lines, plain or gzipped, one message a line."""

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deploy.local import Trouble

LONGEST_TITLE = 100
LONGEST_TEXT = 4000
_GZIP = b"\x1f\x8b"

Words = Annotated[str, Field(min_length=1)]


class Message(BaseModel):
    """What somebody wrote to the authorities, and what they were answered."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    id: Words
    user: Words
    title: Words
    text: Words
    filed_at: datetime | None = None
    reply: str | None = None
    replied_at: datetime | None = None

    @property
    def heading(self) -> str:
        """The title, as long as a title may be."""
        return self.title[:LONGEST_TITLE].strip()


@dataclass(frozen=True)
class BadLine:
    """A line that is no message, and why."""

    number: int
    reason: str


def read(file: Path, limit: int | None) -> tuple[list[Message], list[BadLine]]:
    """The first ``limit`` messages of a file, and the lines on the way that are none; Trouble if it cannot be read."""
    messages: dict[str, Message] = {}
    bad: list[BadLine] = []
    try:
        for number, line in enumerate(_lines(file), start=1):
            if limit is not None and len(messages) == limit:
                break
            found = _message(line)
            if isinstance(found, str):
                bad.append(BadLine(number, found))
            elif found.id in messages:
                bad.append(BadLine(number, f"the id {found.id} was there before"))
            else:
                messages[found.id] = found
    except (OSError, EOFError, zlib.error) as error:
        raise Trouble(f"{file} cannot be read ({error}): give a file of JSON lines, plain or gzipped.") from error
    return list(messages.values()), bad


def parts(text: str) -> list[str]:
    """A text in pieces that the system takes: the first goes with the step, the others follow as comments."""
    pieces = (text[start : start + LONGEST_TEXT].strip() for start in range(0, len(text), LONGEST_TEXT))
    return [piece for piece in pieces if piece]


def _lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as raw:
        zipped = raw.peek(2)[:2] == _GZIP if isinstance(raw, io.BufferedReader) else False
        stream: BinaryIO = gzip.GzipFile(fileobj=raw) if zipped else raw  # type: ignore[assignment]
        yield from (line for line in stream)


def _message(line: bytes) -> Message | str:
    if not line.strip():
        return "the line is empty"
    try:
        return Message.model_validate_json(line)
    except ValidationError as error:
        # The input itself stays out: a message is somebody's own words.
        wrong = (f"{'.'.join(map(str, e['loc'])) or 'line'}: {e['msg']}" for e in error.errors(include_input=False))
        return "; ".join(wrong)
