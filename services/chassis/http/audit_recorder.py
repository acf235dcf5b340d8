"""The audit recorder: writes an audit entry for sealed data that an answer shows, and for refusals."""

import re
from typing import Any

from fastapi import Request

from services.chassis.domain.entity import Entity
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import Actor
from services.chassis.storage.audit import Action, Audit, Note
from services.chassis.telemetry import tracing
from services.chassis.usecase import Container, Context

_OURS = re.compile(r"[a-z]+_[0-9a-z]{24}")
"""Our own ids; other text in a path may be anything that a client typed."""
_RECORDED_KINDS = frozenset({Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.TOO_MANY})
"""The refusals that are recorded: they concern who asks. The others concern what was asked."""


class AuditRecorder:
    """Records for one route. If the audit log cannot be written, the answer is AuditAway."""

    def __init__(self, container: Container, audit: Audit, usecase: str) -> None:
        self._container, self._audit, self._usecase = container, audit, usecase

    async def shown(self, request: Request, ctx: Context, action: Action | None) -> None:
        """Call before an answer leaves; records it if it shows sealed data of people other than the reader."""
        subjects = ctx.opened.close(ctx.actor.person)
        if action and subjects:
            await self._write(request, ctx.actor, action, subjects=subjects)

    async def refused(self, request: Request, actor: Actor, refusal: Refusal) -> None:
        """Call on a refusal; records it if it concerns permission or identity."""
        if refusal.kind in _RECORDED_KINDS:
            await self._write(request, actor, Action.REFUSE, code=refusal.code())

    async def _write(self, request: Request, actor: Actor, action: Action, **more: Any) -> None:
        about = tuple(value for value in request.path_params.values() if _OURS.fullmatch(str(value)))
        trace = tracing.id_of(request.state.trace)
        at, roles = self._container.clock(), tuple(sorted(actor.roles))
        await self._audit.append(Note(at, actor.id, roles, action, self._usecase, about, trace=trace, **more))


def action_of(stated: Action | None, method: str, result: Any) -> Action | None:
    """What an answer counts as in the audit log; None if it only shows what was just recorded, because a history has
    that.

    A repeat, or a change without effect, records nothing: it counts as a read.
    """
    if stated:
        return stated
    return Action.READ if method == "GET" or (isinstance(result, Entity) and not result.fresh) else None
