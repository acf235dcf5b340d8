"""A gateway of a test's own, which answers what the test says, and lets anybody sign in by phone."""

import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from deploy.cli.city.client import Gateway

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(answering: Answering) -> AsyncIterator[BaseTestServer]:
    """A server of which every path is answered by one function."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answering)
    async with TestServer(app) as server:
        yield server


@asynccontextmanager
async def gateway(answering: Answering, **more: float) -> AsyncIterator[Gateway]:
    """A client of such a server."""
    async with serving(answering) as server, Gateway(str(server.make_url("/")), **more) as client:  # type: ignore[arg-type]
        yield client


def answers(table: dict[str, Any], spool: Path | None = None) -> Answering:
    """200 with the body that the table has for "METHOD path", 404 for others; codes go to the spool."""

    async def answering(request: web.Request) -> web.StreamResponse:
        if request.path == "/v1/sign-in/codes" and spool:
            send_code(spool, (await request.json())["phone"])
            return web.Response(status=202)
        if request.path == "/v1/sign-in/tokens":
            return web.json_response({"access_token": token(), "refresh_token": "r"}, status=201)
        found = table.get(f"{request.method} {request.path}")
        if found is None:
            return web.json_response({"code": "not-found", "detail": "no"}, status=404)
        return web.json_response(found)

    return answering


def send_code(spool: Path, phone: str) -> None:
    """What a local city does instead of sending a text message."""
    content = {"at": datetime.now(UTC).isoformat(), "key": phone, "phone": phone, "text": "登录验证码 111111"}
    draft = spool / f".{phone}"
    draft.write_text(json.dumps(content))
    draft.rename(spool / f"{phone}.json")


def token() -> str:
    """What reads like an access token of an hour; nobody here verifies it."""
    claims = json.dumps({"sub": "account_1", "person": "person_1", "exp": time.time() + 3600}).encode()
    return f"x.{base64.urlsafe_b64encode(claims).rstrip(b'=').decode()}.x"
