"""Live streams: server-sent events with ids by which a client resumes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import Header
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.chassis.usecase import Context

HEARTBEAT_SECONDS = 15.0
_LINE_BREAKS = {one: f"\\u{one:04x}" for one in (0x85, 0x2028, 0x2029)}

LastEventId = Annotated[
    int | None, Header(ge=0, le=2**53, description="the id of the last event you saw; the stream goes on behind it")
]
"""The parameter of a use case that gives a stream: as a browser sends it when it connects again."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream; ``id`` is what a client gives as Last-Event-ID."""

    event: str
    data: dict[str, Any]
    id: int | None = None

    def encoded(self) -> bytes:
        """As it goes over the wire, in one data line: JSON escapes CR and LF, and here also the line breaks of Unicode,
        at which some client libraries split lines."""
        head = f"id: {self.id}\n" if self.id is not None else ""
        data = orjson.dumps(self.data).decode().translate(_LINE_BREAKS)
        return f"{head}event: {self.event}\ndata: {data}\n\n".encode()


class Stream(StreamingResponse):
    """Sends events as they arrive, several in one chunk, and a heartbeat every 15 s so that proxies keep the
    connection.

    Ends when the process stops, and when the token of the actor is revoked.
    """

    media_type = "text/event-stream"

    def __init__(self, lines: AsyncIterator[Sequence[ServerEvent]], ctx: Context) -> None:
        self._lines = lines
        self._ending = ctx.container.revocations.ending(ctx.actor)
        super().__init__((), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; ``app.state.closing`` is set by the server that runs the application."""
        closing = getattr(scope["app"].state, "closing", None) or asyncio.Event()
        with self._ending as revoked:
            self.body_iterator = _kept_alive(self._lines, closing, revoked)
            await super().__call__(scope, receive, send)


async def _kept_alive(
    lines: AsyncIterator[Sequence[ServerEvent]], closing: asyncio.Event, revoked: asyncio.Event
) -> AsyncIterator[bytes]:
    yield b": connected\n\n"
    closed, ended = asyncio.ensure_future(closing.wait()), asyncio.ensure_future(revoked.wait())
    pending = asyncio.ensure_future(anext(lines, None))
    try:
        while not closed.done() and not ended.done():
            waited = (pending, closed, ended)
            done, _ = await asyncio.wait(waited, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if pending in done:
                come = pending.result()
                if come is None:
                    return
                yield b"".join(line.encoded() for line in come)
                pending = asyncio.ensure_future(anext(lines, None))
            elif not done:
                yield b": alive\n\n"
    finally:
        closed.cancel()
        ended.cancel()
        pending.cancel()
