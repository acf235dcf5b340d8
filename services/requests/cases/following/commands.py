"""Following a case, and leaving it."""

from typing import Any

from services.chassis.domain.scope import SYSTEM
from services.chassis.guards import changes
from services.chassis.usecase import Context, usecase
from services.contracts.members.roles import Role
from services.requests.cases.following import model
from services.requests.cases.model import Case


@changes(Case, allow=SYSTEM)
async def leave_erased(ctx: Context, case: Case, person: str) -> None:
    """Let a person follow a case no more who was erased."""
    model.unfollow(case, person)


async def _others(ctx: Context, case: Case, _: Any) -> None:
    """A case of somebody else that is open, and shown to strangers."""
    model.expect_followable(case, ctx.person)


async def _shown(ctx: Context, case: Case, _: Any) -> None:
    """A case that strangers are shown."""
    model.expect_shown(case)


@usecase(allow=Role.RESIDENT, within=_others)
async def follow(ctx: Context, case_id: str) -> Case:
    """Follow a request of somebody else instead of asking for the same: you hear how it goes on."""
    async with ctx.store.as_system().change(Case, case_id) as case:
        model.follow(case, ctx.person)
    return case


@usecase(allow=Role.RESIDENT, within=_shown)
async def unfollow(ctx: Context, case_id: str) -> Case:
    """Hear no more of a request that you follow."""
    async with ctx.store.as_system().change(Case, case_id) as case:
        model.unfollow(case, ctx.person)
    return case
