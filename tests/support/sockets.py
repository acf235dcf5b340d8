"""Requests byte for byte, as no client library would send them."""

import socket
import time
from collections.abc import Mapping

CLOSES = b"Connection: close\r\n\r\n"


def _get(lines: bytes) -> bytes:
    return b"GET %s HTTP/1.1\r\n" + lines + CLOSES


def _post(lines: bytes, body: bytes) -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: a\r\n" + lines + CLOSES + body


REFUSED: Mapping[str, bytes] = {
    "two hosts": _get(b"Host: a\r\nHost: b\r\n"),
    "the same host twice": _get(b"Host: a\r\nHost: a\r\n"),
    "no host": _get(b""),
    "an empty host": _get(b"Host:\r\n"),
    "hosts with a comma": _get(b"Host: a,b\r\n"),
    "a host with a user": _get(b"Host: a@b\r\n"),
    "a host with a path": _get(b"Host: a/b\r\n"),
    "NUL in a value": _get(b"Host: a\r\nX-A: b\0c\r\n"),
    "a blank before the colon": _get(b"Host: a\r\nX-A : b\r\n"),
    "length and coding": _post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "two lengths": _post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"abcdef"),
    "a list of lengths": _post(b"Content-Length: 5, 5\r\n", b"abcde"),
    "a length with a sign": _post(b"Content-Length: +5\r\n", b"abcde"),
    "an unknown coding": _post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "a bare LF between chunks": _post(b"Transfer-Encoding: chunked\r\n", b"1\na\n0\n\n"),
    "a chunk below nothing": _post(b"Transfer-Encoding: chunked\r\n", b"-1\r\na\r\n0\r\n\r\n"),
}
"""Requests, for a path, that RFC 9112 lets nobody take."""

BARE: Mapping[str, bytes] = {
    "lines with LF": b"GET %s HTTP/1.1\nHost: a\nConnection: close\n\n",
    "a bare LF in a value": _get(b"Host: a\r\nX-A: b\nX-C: d\r\n"),
    "a bare CR in a value": _get(b"Host: a\r\nX-A: b\rX-C: d\r\n"),
}
"""Requests, for a path, whose lines do not end as they should."""


def ask(port: int, request: bytes, seconds: float = 10) -> bytes:
    """All that is answered to these bytes until the other end closes; TimeoutError where it does not in time."""
    with socket.create_connection(("127.0.0.1", port), seconds) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def closed_after(port: int, *parts: bytes, each: float = 0.2, seconds: float = 10) -> float:
    """Seconds until the other end closes a connection on which these parts come, one after the other.

    TimeoutError where it does not in time.
    """
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), seconds) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(each)
            while connection.recv(65536):
                pass
        except ConnectionError:
            pass
    return time.monotonic() - began
