"""Admission control in front of all routes: limits body sizes and concurrent requests, and counts answers."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.domain.refusals import BodyTooLarge, Busy, Refusal
from services.chassis.http.limiter import ConcurrencyLimiter
from services.chassis.http.problems import MAX_BODY, answer, language_of, texts_of
from services.chassis.telemetry import metrics

_HOUSEKEEPING = ("/healthz", "/readyz", "/metrics")


class AdmissionControl:
    """Plain ASGI middleware that refuses excess load and measures the rest."""

    def __init__(self, app: ASGIApp, max_in_flight: int, max_wait: float) -> None:
        self._app = app
        self._limiter = ConcurrencyLimiter(max_in_flight, max_wait)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection. Health checks and metrics are neither limited nor counted."""
        if scope["type"] != "http" or scope["path"] in _HOUSEKEEPING:
            await self._app(scope, receive, send)
        elif _stated(scope) > MAX_BODY:
            await self._refuse(BodyTooLarge(limit=MAX_BODY), scope, receive, send)
        else:
            await self._admitted(scope, receive, send)

    async def _admitted(self, scope: Scope, receive: Receive, send: Send) -> None:
        came = time.perf_counter()  # the wait in the queue is part of the response time
        if await self._limiter.enter():
            await self._measured(scope, _Visit(receive, send, self._limiter, came))
        else:
            await self._refuse(Busy(retry_after=1), scope, receive, send)

    async def _refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        response = answer(refusal, texts_of(request), language_of(request))
        metrics.http_requests.labels(scope["method"], "refused", str(response.status_code)).inc()
        await response(scope, receive, send)

    async def _measured(self, scope: Scope, visit: "_Visit") -> None:
        metrics.http_in_flight.set(self._limiter.inside)
        token = _visit.set(visit)
        try:
            await self._app(scope, visit.receive, visit.send)
        finally:
            _visit.reset(token)
            visit.leave()
            route = getattr(scope.get("route"), "path", "unknown")
            metrics.http_requests.labels(scope["method"], route, str(visit.status)).inc()
            metrics.http_seconds.labels(scope["method"], route).observe(visit.seconds)


def _stated(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isdecimal() else 0


class _Visit:
    """One request in progress: counts the bytes received, and notes status and duration."""

    def __init__(self, receive: Receive, send: Send, limiter: ConcurrencyLimiter, came: float) -> None:
        self._receive = receive
        self._send = send
        self._limiter = limiter
        self._start = came
        self._bytes = 0
        self._over = False
        self._has_place = True
        self.status = 500
        self.seconds = 0.0

    async def receive(self) -> Message:
        """Pass on what is received; a body without a stated length may exceed the limit."""
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        if self._bytes > MAX_BODY:
            raise HTTPException(413)  # the framework passes on only its own exceptions here
        return message

    async def send(self, message: Message) -> None:
        """Pass on what is sent; a live stream counts as in progress only until it starts."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if Headers(raw=message["headers"]).get("content-type", "").startswith("text/event-stream"):
                self.leave()
        await self._send(message)

    def leave(self) -> None:
        """Mark the request as done; only the first call counts."""
        if not self._over:
            self._over = True
            self.seconds = time.perf_counter() - self._start
            self.give_place()

    def give_place(self) -> None:
        """Leave the place to others, if it has one."""
        if self._has_place:
            self._has_place = False
            self._limiter.leave()
            metrics.http_in_flight.set(self._limiter.inside)

    async def take_place(self) -> None:
        """Wait for a place again; Busy where there is none in time."""
        self._has_place = await self._limiter.enter()
        metrics.http_in_flight.set(self._limiter.inside)
        if not self._has_place:
            raise Busy(retry_after=1)


_visit: ContextVar[_Visit | None] = ContextVar("visit", default=None)


@asynccontextmanager
async def outside() -> AsyncIterator[None]:
    """Wait in here for what has a bounded queue of its own: the place of the request is free for others meanwhile.

    Busy where there is no place in time when the wait is over. What fails in here is answered without a place.
    """
    visit = _visit.get()
    if visit is None:  # a command or a worker
        yield
        return
    visit.give_place()
    yield
    await visit.take_place()
