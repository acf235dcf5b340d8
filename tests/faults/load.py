"""The load: whole cases, registrations and choice at a steady rate, each try of each command a line of the log."""

import asyncio
import base64
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson

from deploy.cli.city.client import Answer
from tests.bench.town import COMMUNITY, filing
from tests.faults.city import People
from tests.replay.ledger import Ledger

_TIMEOUT = aiohttp.ClientTimeout(total=4, connect=2)
# Now and then somebody hangs up before the answer is there, and asks again with the same key.
_HANGS_UP, _ONE_IN = aiohttp.ClientTimeout(total=0.015), 40
_PATIENCE = 90.0
_HANDS = 24
_SAYS = "已到现场查看，今天更换灯具。"
_STEPS: Sequence[tuple[str, str, Any]] = (
    ("accept", "handler", None),
    ("start", "handler", None),
    ("comment", "resident", {"text": _SAYS}),
    ("resolve", "handler", {"outcome": "fixed", "answer": _SAYS}),
    ("rate", "resident", {"score": 5, "solved": True}),
)


class Silent(Exception):
    """A command was not answered, with all its repeats, as long as anybody would wait."""


@dataclass
class Load:
    """Everybody at work. ``doors``: where commands to requests go, in turn; all others go to the first."""

    people: People
    ledger: Ledger
    gateway: str
    rate: float
    chance: random.Random
    addresses: Sequence[str] = ()
    done: int = 0
    unknown: int = 0
    silent: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    _next: float = 0
    _over: bool = True

    def __post_init__(self) -> None:
        self._keys = (f"faults:{self.chance.getrandbits(48):x}:{n}" for n in itertools.count())
        self.addresses = self.addresses or (self.gateway,)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """As long as the block lasts; at its end no new command begins, and those under way are seen to their end."""
        self.done = self.unknown = self.silent = 0
        self.refused.clear()
        self._over, self._next = False, time.monotonic()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            hands = [asyncio.create_task(self._hand(http)) for _ in range(_HANDS)]
            try:
                yield
            finally:
                self._over = True
                await asyncio.gather(*hands)

    async def flows(self, commands: int, seconds: float = 60) -> None:
        """Wait until this many more commands are answered."""
        wanted, give_up = self.done + commands, time.monotonic() + seconds
        while self.done < wanted and time.monotonic() < give_up:  # noqa: ASYNC110 - the hands do not call
            await asyncio.sleep(0.05)

    async def _hand(self, http: aiohttp.ClientSession) -> None:
        while not self._over:
            try:
                await self._life(http)
            except Silent:
                self.silent += 1

    async def _life(self, http: aiohttp.ClientSession) -> None:
        resident, handler = self.chance.choice(self.people.residents), self.chance.choice(self.people.handlers)
        match self.chance.randrange(6):
            case 0:
                phone = f"137{self.chance.randrange(10**8):08}"
                body = {"phone": phone, "name": "新居民", "area": COMMUNITY}
                await self._command(http, self.people.operator, "POST", "/v1/people", body)
            case 1:
                choice = {"channels": ["inbox", "sms", "email"], "email": "somebody@faults.example"}
                await self._command(http, resident, "PUT", "/v1/preferences", choice)
        case = await self._command(http, resident, "POST", "/v1/requests", filing())
        for step, who, body in _STEPS:
            if case is None or self._over:
                return
            token = resident if who == "resident" else handler
            case = await self._command(http, token, "POST", f"/v1/requests/{case['id']}/{step}", body)

    async def _command(self, http: aiohttp.ClientSession, token: str, method: str, path: str, body: Any) -> Any:
        """One command, repeated with its key until it is answered; its body, None where the answer was a no."""
        await self._turn()
        request, give_up = (method, path, next(self._keys)), time.monotonic() + _PATIENCE
        while time.monotonic() < give_up:
            began = datetime.now(UTC)
            answer = await self._try(http, token, request, body)
            self.ledger.write("", _subject(token), request, began, answer)
            if answer is not None and answer.status != 429 and answer.status < 500:
                self.done += 1
                self.refused[f"{answer.status} {answer.code}"] += not answer.ok
                return answer.body if answer.ok else None
            self.unknown += 1
            await asyncio.sleep(self.chance.uniform(0.1, 0.8))
        raise Silent(path)

    async def _try(
        self, http: aiohttp.ClientSession, token: str, request: tuple[str, str, str], body: Any
    ) -> Answer | None:
        method, path, key = request
        addresses = self.addresses if path.startswith("/v1/requests") else (self.gateway,)
        headers: Mapping[str, str] = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        address, timeout_seconds = (
            self.chance.choice(addresses) + path,
            _TIMEOUT if self.chance.randrange(_ONE_IN) else _HANGS_UP,
        )
        try:
            async with http.request(method, address, headers=headers, json=body, timeout=timeout_seconds) as response:
                content = await response.read()
                return Answer(response.status, orjson.loads(content), response.headers, 0)
        except (aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError):
            return None

    async def _turn(self) -> None:
        """Wait for this command's time: a fixed rate, without catching up after an outage."""
        turn = max(self._next, time.monotonic() - 1)
        self._next = turn + 1 / self.rate
        await asyncio.sleep(max(0.0, turn - time.monotonic()))


def _subject(token: str) -> str:
    part = token.split(".")[1]
    return str(orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"])
