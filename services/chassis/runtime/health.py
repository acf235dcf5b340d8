"""Health checks and metrics of a process; not reachable through the gateway."""

from collections.abc import Awaitable, Callable, Mapping

import orjson
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.chassis.telemetry import logs

Check = Callable[[], Awaitable[str | None]]
"""Returns what is wrong, or None."""


def install(app: FastAPI, checks: Mapping[str, Check], parts: Check | None = None) -> None:
    """Add ``/healthz``, ``/readyz`` (says which check is not met) and ``/metrics``.

    ``parts`` says which parts of the process do not work while the rest does: degraded, and ready all the same.
    """

    async def healthz() -> Response:
        return Response(b'{"status":"alive"}', media_type="application/json")

    async def readyz() -> Response:
        found = {name: await _checked(check) for name, check in checks.items()}
        ready = not any(found.values())
        body = {"status": "ready" if ready else "not ready", "checks": {n: p or "ok" for n, p in found.items()}}
        if parts is not None and (lacking := await _checked(parts)):
            body["degraded"] = lacking
        return Response(orjson.dumps(body), 200 if ready else 503, media_type="application/json")

    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    for endpoint in (healthz, readyz, metrics):
        app.add_api_route(f"/{endpoint.__name__}", endpoint, include_in_schema=False)


async def _checked(check: Check) -> str | None:
    try:
        return await check()
    except Exception as error:
        return logs.safe_text(error)
