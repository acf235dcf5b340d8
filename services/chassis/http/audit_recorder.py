"""What the audit is told of a request: whose sealed data its answer shows, and that it was refused."""

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
"""Ids that the house made; anything else in a path may be whatever somebody typed."""
_TOLD = frozenset({Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.TOO_MANY})
"""Whoever tries doors meets these; the other refusals are about what was asked, not about who asks."""


class AuditRecorder:
    """Stands at one door. Where the audit cannot be told, it is AuditAway that leaves, and nothing else."""

    def __init__(self, container: Container, audit: Audit, usecase: str) -> None:
        self._container, self._audit, self._usecase = container, audit, usecase

    async def shown(self, request: Request, ctx: Context, action: Action | None) -> None:
        """An answer is ready to leave; told of is one that shows sealed data of others than its reader."""
        subjects = ctx.opened.tell(ctx.actor.person)
        if action and subjects:
            await self._tell(request, ctx.actor, action, subjects=subjects)

    async def refused(self, request: Request, actor: Actor, refusal: Refusal) -> None:
        """Somebody gets a no; told of are those that say who may do and see what."""
        if refusal.kind in _TOLD:
            await self._tell(request, actor, Action.REFUSE, code=refusal.code())

    async def _tell(self, request: Request, actor: Actor, action: Action, **more: Any) -> None:
        about = tuple(value for value in request.path_params.values() if _OURS.fullmatch(str(value)))
        trace = tracing.id_of(request.state.trace)
        at, roles = self._container.clock(), tuple(sorted(actor.roles))
        await self._audit.tell(Note(at, actor.id, roles, action, self._usecase, about, trace=trace, **more))


def action_of(stated: Action | None, method: str, result: Any) -> Action | None:
    """What an answer is in the audit: nothing where it shows what was just recorded, since a history has that.

    A repeat, and a change that changes nothing, record nothing: they are readings.
    """
    if stated:
        return stated
    return Action.READ if method == "GET" or (isinstance(result, Entity) and not result.fresh) else None
