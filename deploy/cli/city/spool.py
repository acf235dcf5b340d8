"""The spool: text messages as files, instead of an SMS provider."""

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

# As in the templates for sign-in codes, zh and en; a tracking code looks different.
_CODE = re.compile(r"(?:登录验证码|sign-in code is)\s*(\d{4,8})")
_LOOK_EVERY = 0.15
_TICK = 1.0


@dataclass(frozen=True)
class TextMessage:
    """One text message; ``key`` is the stable key for the provider."""

    at: datetime
    key: str
    phone: str
    text: str

    @classmethod
    def of(cls, content: dict[str, Any]) -> "TextMessage":
        """From a file of the spool."""
        return cls(datetime.fromisoformat(content["at"]), content["key"], content["phone"], content["text"])


class CodeMissing(Exception):
    """No sign-in code arrived at a phone in time."""


class Spool:
    """The folder of text messages, read as it grows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: set[str] = set()
        self._changed = -1.0
        self._looked = float("-inf")
        self._codes: dict[str, tuple[datetime, str]] = {}

    def news(self) -> list[TextMessage]:
        """The messages since the last call, oldest first."""
        changed = self._folder.stat().st_mtime if self._folder.exists() else 0.0
        if changed == self._changed:
            return []
        # A file written within the same tick of the clock would be missed: a recent time is not remembered.
        self._changed = changed if time.time() - changed > _TICK else -1.0
        fresh = [file for file in self._folder.glob("*.json") if file.name not in self._read]
        self._read.update(file.name for file in fresh)
        return sorted((TextMessage.of(orjson.loads(file.read_bytes())) for file in fresh), key=lambda m: m.at)

    async def code(self, phone: str, after: datetime, seconds: float = 120) -> str:
        """The newest sign-in code for this phone after an instant; CodeMissing if none arrives in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._look()
            at, code = self._codes.get(_national(phone), (after, ""))
            if code and at >= after:
                return code
            await asyncio.sleep(_LOOK_EVERY)
        raise CodeMissing(f"no sign-in code reached the spool {self._folder} within {seconds:g} s")

    def _look(self) -> None:
        """Read new files; concurrent callers share one look."""
        if time.monotonic() - self._looked < _LOOK_EVERY / 2:
            return
        self._looked = time.monotonic()
        for message in self.news():
            found = _CODE.search(message.text)
            if found:
                self._codes[_national(message.phone)] = (message.at, found[1])


def _national(phone: str) -> str:
    """A number without the country code: people type it so, the spool has it in E.164."""
    return phone.removeprefix("+86")
