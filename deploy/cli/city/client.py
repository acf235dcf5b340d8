"""An HTTP client of the gateway: time-outs, retries with the same key, and limited concurrency."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

# A 429 with a longer wait than this, in seconds, is a final answer.
LONGEST_WAIT = 5.0
_AGAIN = (502, 503, 504)
_TIMEOUT = aiohttp.ClientTimeout(total=30, connect=5)
_STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=5, sock_read=60)
_PAGE = 200


class Unanswered(Exception):
    """No answer in time: the request may have had its effect or not; repeat it with the same key."""


class Refused(Exception):
    """The gateway answered with a refusal."""

    def __init__(self, what: str, answer: "Answer") -> None:
        # Used in the middle of a sentence, so without its full stop.
        super().__init__(f"{what}: {answer.status} {answer.code} {answer.detail}".rstrip(".。"))
        self.what, self.answer = what, answer


@dataclass(frozen=True)
class Answer:
    """An answer, ``seconds`` after the first attempt."""

    status: int
    body: Any
    headers: Mapping[str, str]
    seconds: float
    tries: int = 1

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """The code of a refusal; empty if there is none."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""

    @property
    def detail(self) -> str:
        """The text of a refusal."""
        return str(self.body.get("detail", "")) if isinstance(self.body, dict) else ""

    @property
    def version(self) -> int | None:
        """The version in the ETag."""
        tag = self.headers.get("ETag", "").strip('W/"')
        return int(tag) if tag.isdecimal() else None

    def expect(self, what: str) -> Any:
        """The body of a success; otherwise raises Refused, with ``what`` was requested."""
        if not self.ok:
            raise Refused(what, self)
        return self.body


class Gateway:
    """A connection to a city; requests are retried until they are answered or the time is up."""

    def __init__(self, address: str, *, at_once: int = 32, give_up_after: float = 120) -> None:
        """``give_up_after``: how many seconds a request may take with all its retries."""
        self._address = address
        self._give_up_after = give_up_after
        self._at_once = asyncio.Semaphore(at_once)
        self._http = aiohttp.ClientSession(
            address,
            connector=aiohttp.TCPConnector(limit=0),
            headers={"Accept-Language": _language(os.environ)},
            timeout=_TIMEOUT,
            json_serialize=_json,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, _: Any, __: TracebackType | None) -> None:
        await self._http.close()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        key: str = "",
        body: Any = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request and its answer, whatever it is; Unanswered when the time is up.

        After a broken connection, a time-out, a 503 or a short 429 it is repeated with the same key, after Retry-After.
        """
        headers = {
            name: value for name, value in (("Idempotency-Key", key), ("Authorization", _bearer(token))) if value
        }
        began, tries = time.monotonic(), 0
        while True:
            tries += 1
            answer = await self._once(method, path, headers, body, query)
            gone = time.monotonic() - began
            pause = _pause(answer, tries)
            if answer is not None and pause is None:
                return Answer(answer.status, answer.body, answer.headers, gone, tries)
            if gone + (pause or 0) > self._give_up_after:
                raise Unanswered(f"{method} {path} was not answered within {self._give_up_after:g} s")
            await asyncio.sleep(pause or 0)

    async def all(self, path: str, *, token: str = "", **query: str) -> AsyncIterator[dict[str, Any]]:
        """Every entry of a list, page by page."""
        after: dict[str, str] = {}
        while True:
            asked = await self.ask("GET", path, token=token, query={"limit": str(_PAGE), **query, **after})
            page = asked.expect(f"GET {path}")
            for entry in page["items"]:
                yield entry
            if page["next"] is None:
                return
            after = {"after": page["next"]}

    async def stream(self, path: str, token: str) -> AsyncIterator[dict[str, Any]]:
        """The events of a live stream from its opening; the first entry is empty and marks the opening."""
        async with self._http.get(path, headers={"Authorization": _bearer(token)}, timeout=_STREAM_TIMEOUT) as response:
            async for line in response.content:
                if line.startswith(b": connected"):
                    yield {}
                elif line.startswith(b"data: "):
                    yield orjson.loads(line[6:])

    async def _once(
        self, method: str, path: str, headers: Mapping[str, str], body: Any, query: Mapping[str, str] | None
    ) -> Answer | None:
        """One attempt; None if the connection broke or timed out."""
        try:
            async with (
                self._at_once,
                self._http.request(method, path, headers=headers, json=body, params=query) as response,
            ):
                return Answer(response.status, _parsed(await response.read()), response.headers, 0)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None


def _pause(answer: Answer | None, tries: int) -> float | None:
    """How many seconds to wait before the next attempt; None if the answer is final."""
    backoff: float = random.uniform(0.5, 1) * min(0.1 * 2**tries, 3)  # noqa: S311 - jitter, not a secret
    if answer is None:
        return backoff
    asked = answer.headers.get("Retry-After", "")
    after = float(asked) if asked.isdecimal() else 0.0
    if answer.status in _AGAIN or (answer.status == 429 and 0 < after <= LONGEST_WAIT):
        return max(backoff, min(after, LONGEST_WAIT))
    return None


def _language(environment: Mapping[str, str]) -> str:
    """zh in a Chinese locale, else English, the language of the commands."""
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "zh" if locale.lower().startswith("zh") else "en"


def _bearer(token: str) -> str:
    return f"Bearer {token}" if token else ""


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError:
        return None


def _json(body: Any) -> str:
    return orjson.dumps(body).decode()
