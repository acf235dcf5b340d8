"""Live streams: server-sent events with ids by which a client resumes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import Header, Response
from fastapi.responses import StreamingResponse

HEARTBEAT_SECONDS = 15.0

LastEventId = Annotated[
    int | None, Header(ge=0, le=2**53, description="the id of the last event you saw; the stream goes on behind it")
]
"""The parameter of a use case that gives a stream: as a browser sends it when it connects again."""


@dataclass(frozen=True, slots=True)
class Line:
    """One event of a stream; ``id`` is what a client gives as Last-Event-ID."""

    event: str
    data: dict[str, Any]
    id: int | None = None

    def encoded(self) -> bytes:
        """As it goes over the wire; JSON has no raw line breaks, so one data line holds it."""
        head = f"id: {self.id}\n" if self.id is not None else ""
        return f"{head}event: {self.event}\ndata: ".encode() + orjson.dumps(self.data) + b"\n\n"


def stream(lines: AsyncIterator[Line]) -> Response:
    """The lines as they come, with a heartbeat so that proxies keep the connection."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_kept_alive(lines), media_type="text/event-stream", headers=headers)


async def _kept_alive(lines: AsyncIterator[Line]) -> AsyncIterator[bytes]:
    yield b": connected\n\n"
    pending = asyncio.ensure_future(anext(lines, None))
    try:
        while True:
            done, _ = await asyncio.wait([pending], timeout=HEARTBEAT_SECONDS)
            if not done:
                yield b": alive\n\n"
                continue
            line = pending.result()
            if line is None:
                return
            yield line.encoded()
            pending = asyncio.ensure_future(anext(lines, None))
    finally:
        pending.cancel()
