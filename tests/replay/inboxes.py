"""Residents who keep their inbox open while they file: how long it takes until they see that they were heard."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from deploy.cli.city.client import Gateway
from deploy.cli.city.tokens import Bearer

STANDS_SECONDS = 5.0
GIVE_UP_SECONDS = 10.0


class Ear:
    """One open stream, and when each case was first spoken of."""

    def __init__(self) -> None:
        self._heard: dict[str, float] = {}
        self._news = asyncio.Condition()
        self.stands = asyncio.Event()

    async def follow(self, gateway: Gateway, who: Bearer) -> None:
        """Listen until the stream breaks; then nothing more is heard."""
        token = await who.token()
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            async for said in gateway.stream("/v1/inbox/stream", token.value):
                self.stands.set()
                async with self._news:
                    self._heard.setdefault(str(said.get("about")), time.monotonic())
                    self._news.notify_all()

    async def heard(self, case: str) -> float | None:
        """The moment (monotonic, seconds) at which a case was first spoken of; None where it was not in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GIVE_UP_SECONDS), self._news:
                await self._news.wait_for(lambda: case in self._heard)
        return self._heard.get(case)


@asynccontextmanager
async def listening(gateway: Gateway, who: Bearer) -> AsyncIterator[Ear]:
    """An ear that listens from the moment the stream stands, or that is deaf where it does not in time."""
    ear = Ear()
    task = asyncio.create_task(ear.follow(gateway, who))
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(ear.stands.wait(), STANDS_SECONDS)
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
