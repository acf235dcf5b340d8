"""Who asks is established before what is asked is read: without sign-in nobody learns what a route takes."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from services.chassis.domain.refusals import Refusal, SignInNeeded
from services.chassis.domain.scope import NOBODY, PUBLIC
from services.chassis.http.audit_recorder import AuditRecorder
from services.chassis.http.auth import Tokens
from services.chassis.telemetry import tracing
from services.chassis.usecase import UseCase

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


def identifying(tokens: Tokens | None, known: UseCase, recorder: AuditRecorder, name: str) -> type[APIRoute]:
    """The class of a route of this name: its requests have ``state.actor`` and ``state.trace``; refusals are recorded.

    ``tokens`` None: a token is not looked at. Raises TokenInvalid, and SignInNeeded where the use case is not public,
    before path, headers and body are checked.
    """

    class Identifying(APIRoute):
        def get_route_handler(self) -> Handle:
            handle = super().get_route_handler()

            async def identified(request: Request) -> Response:
                with tracing.span(name, tracing.parent_of(request.headers)) as trace:
                    request.state.trace = trace  # for the handler of a failure, which runs after the span has ended
                    request.state.actor = NOBODY
                    try:
                        if tokens is not None:
                            request.state.actor = await tokens.actor(request)
                        if request.state.actor is NOBODY and PUBLIC not in known.allow:
                            raise SignInNeeded
                        return await handle(request)
                    except Refusal as refusal:
                        await recorder.refused(request, request.state.actor, refusal)
                        raise

            return identified

    return Identifying
