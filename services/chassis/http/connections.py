"""Connections of the HTTP server: one Host in a request (RFC 9112 §3.2), and no connection that only waits."""

import asyncio
import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

KEEP_ALIVE_SECONDS = 75
"""Longer than the gateway keeps idle connections, so that it never uses a connection that is closing."""
REQUEST_SECONDS = 30.0
"""From a connection, or from the first byte of a request, until all of the request is here."""
HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
"""What a Host header may name; the gateway refuses others too."""


class HostUnfit(Exception):
    """A request names no host, several, or one that is none; the server answers 400 and closes."""


class Connection(HttpToolsProtocol):
    """As the server's own, which refuses a bare CR or LF, but takes two hosts and waits for a request without end."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the server has it
        """Wait for the first request."""
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """What comes while no request is waited for begins one, also where it is only empty lines."""
        if self._late is None:
            self._await_request()
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Refuse a request without one valid host."""
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) != 1 or not HOST.fullmatch(hosts[0]):
            raise HostUnfit
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of the request is here."""
        self._stop_waiting()
        super().on_message_complete()

    def _await_request(self) -> None:
        self._late = self.loop.call_later(REQUEST_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
