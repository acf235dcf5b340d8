"""The external providers, for text messages and mail, which can be slow, refuse, or accept."""

import asyncio
import secrets
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aiohttp import web
from aiosmtpd.smtp import SMTP

Mood = Literal["willing", "slow", "refusing", "mute"]

SLOW_SECONDS = 2.0


@dataclass
class Providers:
    """Both of them; ``texts`` and ``mails`` count what was taken, by the key that came with it."""

    folder: Path
    mood: Mood = "willing"
    texts: Counter[str] = field(default_factory=Counter)
    mails: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    _sms: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _smtp: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    def settings(self) -> dict[str, str]:
        """What makes services use them."""
        secret = self.folder / "sms-secret"
        if not secret.exists():
            secret.write_text(secrets.token_hex(16))
        return {
            "LINLI_SMS_URL": f"http://127.0.0.1:{self._sms.getsockname()[1]}/messages",
            "LINLI_SMS_SECRET_FILE": str(secret),
            "LINLI_SMTP": f"127.0.0.1:{self._smtp.getsockname()[1]}",
            "LINLI_SMTP_TLS": "none",
            "LINLI_MAIL_FROM": "linli@faults.example",
        }

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Providers"]:
        """Both at work as long as the block lasts."""
        app = web.Application()
        app.router.add_post("/messages", self._text)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.SockSite(runner, self._sms).start()
        loop = asyncio.get_running_loop()
        mail = await loop.create_server(lambda: SMTP(self, loop=loop), sock=self._smtp)
        try:
            yield self
        finally:
            mail.close()
            await runner.cleanup()

    async def _text(self, request: web.Request) -> web.Response:
        if not await self._takes():
            return web.Response(status=503, headers={"Retry-After": "1"})
        self.texts[request.headers["Idempotency-Key"]] += 1
        return web.json_response({"status": "accepted"})

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the name aiosmtpd calls
        """One mail."""
        if not await self._takes():
            return "451 later"
        head = next(line for line in envelope.content.splitlines() if line.lower().startswith(b"message-id:"))
        self.mails[head.decode().partition("<")[2].partition("@")[0]] += 1
        return "250 OK"

    async def _takes(self) -> bool:
        if self.mood == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        if self.mood == "mute":
            await asyncio.sleep(30)
        self.refused += self.mood == "refusing"
        return self.mood in ("willing", "slow")
