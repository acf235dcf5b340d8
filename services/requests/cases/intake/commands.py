"""How a request comes in, and how it is rejected, withdrawn or reopened."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import orjson
from pydantic import Field

from services.chassis.domain.concurrency import gather_two
from services.chassis.domain.spelling import TYPED
from services.chassis.domain.values import Sealed, Text, shaped
from services.chassis.domain.writing import LEGIBLE
from services.chassis.storage.vault import Erased, KeyNotHere
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.areas import path
from services.contracts.members.roles import Role
from services.contracts.requests.case_parts import Channel
from services.contracts.requests.cases import (
    CaseCancelled,
    CaseFiled,
    CaseRejected,
    CaseReopened,
    CaseVerified,
    CloseReason,
    UnassignedBecause,
)
from services.requests.calendar.queries import zone
from services.requests.cases.clocks.queries import times_of
from services.requests.cases.dispatch import model as dispatch
from services.requests.cases.dispatch.queries import nearby
from services.requests.cases.intake import model
from services.requests.cases.limits import model as limits
from services.requests.cases.model import Case
from services.requests.cases.queries import sealed
from services.requests.cases.steps.commands import AnswerText, SharedText, step
from services.requests.cases.steps.model import Step
from services.requests.cases.tracking.commands import take_number
from services.requests.catalogue.model import Item, minutes_to_accept
from services.requests.catalogue.queries import offered
from services.requests.dangers.queries import advice_of
from services.requests.forms.model import answered
from services.requests.providers.queries import fileable
from services.requests.residents.queries import is_voice_only

_READ = "read by the resident, by the staff who see the case, and by the volunteers of a team that has it"


class FileRequest(Command):
    """What is requested, where, and for whom."""

    item: Annotated[str, Field(max_length=64, description="code of the service item, see /v1/catalogue")]
    area: Annotated[str, TYPED, Field(max_length=20, description="code of the community or grid, see /v1/areas")]
    title: Annotated[str, Field(min_length=1, max_length=200, description=_READ), LEGIBLE]
    text: Annotated[Text, Field(description=_READ)]
    address: Annotated[str, Field(min_length=1, max_length=500, description=_READ), LEGIBLE] | None = None
    lat: Annotated[float | None, Field(ge=-90, le=90, description="goes with long")] = None
    long: Annotated[float | None, Field(ge=-180, le=180, description="goes with lat")] = None
    answers: Annotated[dict[str, Any] | None, Field(max_length=30, description="to the questions of the form")] = None
    followable: Annotated[
        bool,
        Field(description="false: others are not shown that this was asked for, also where the item is everybody's"),
    ] = True
    on_behalf_of: Annotated[
        str | None,
        shaped(
            r"^person_[0-9a-z]{1,40}$",
            "person-id",
            description="the caller's person id; operators only",
        ),
    ] = None


class RejectCase(Command):
    """Why it is rejected, and the answer to the resident."""

    reason: CloseReason = CloseReason.NOT_OUR_DUTY
    answer: AnswerText


class CancelCase(Command):
    """Why it is withdrawn."""

    reason: SharedText | None = None


class ReopenCase(Command):
    """What is still not right."""

    reason: SharedText


async def _may_file(ctx: Context, _: Case, cmd: FileRequest) -> None:
    """Residents ask for themselves, wherever it is; operators for a caller, in their own places."""
    model.expect_filer(ctx.actor, cmd.on_behalf_of)
    if cmd.on_behalf_of is not None and not ctx.actor.is_in_charge_of(path(cmd.area)):
        await fileable(ctx, cmd.area)  # of a code that no place has it says more that it is unknown
        raise model.AreaOutsideYours(area=cmd.area)


@usecase(allow=(Role.RESIDENT, Role.OPERATOR), within=_may_file)
async def file(ctx: Context, cmd: FileRequest) -> Case:
    """Ask for something: the answer says the number, who has it now and by when it is due."""
    async with ctx.store.create(Case) as case:
        at = model.position(cmd.lat, cmd.long)
        item, place = await gather_two(offered(ctx, cmd.item), fileable(ctx, cmd.area, at))
        answers = answered(item.form, cmd.answers or {}, _today(ctx))
        await _expect_known(ctx, cmd)
        number, near = await gather_two(take_number(ctx, case.id), nearby(ctx, place.id, item))
        # Who files for themselves has signed in with a text message.
        voice_only = cmd.on_behalf_of is not None and await is_voice_only(ctx, cmd.on_behalf_of)
        case.record(_filed(ctx, case, cmd, item, number, answers, voice_only=voice_only))
        limits.set_limits(case, times_of(ctx, case), ctx.now())
        dispatch.give(case, dispatch.choose(case, near), UnassignedBecause.NOBODY_SERVES)
    return case


@step(Step.VERIFY)
async def verify(ctx: Context, case: Case) -> None:
    """Say that a request which waits for a handler is real and ours."""
    case.record(CaseVerified())


@step(Step.REJECT)
async def reject(ctx: Context, case: Case, cmd: RejectCase) -> None:
    """Refuse a request that is not ours to settle, with an answer to its resident."""
    answer = sealed(ctx, case, "answer", cmd.answer)
    case.record(CaseRejected(reason=cmd.reason, answer=answer, ended_at=ctx.now()))


@step(Step.CANCEL)
async def cancel(ctx: Context, case: Case, cmd: CancelCase) -> None:
    """Withdraw a request that is still open."""
    reason = sealed(ctx, case, "reason", cmd.reason) if cmd.reason else None
    case.record(CaseCancelled(reason=reason, by_resident=case.is_of(ctx.actor), ended_at=ctx.now()))


@step(Step.REOPEN)
async def reopen(ctx: Context, case: Case, cmd: ReopenCase) -> None:
    """Have a case taken up again that was not settled: by somebody else, or by the supervisor, with a new limit."""
    reason, near = sealed(ctx, case, "reason", cmd.reason), await nearby(ctx, case.area, case)
    times, by_resident = case.reopened + 1, case.is_of(ctx.actor)
    again = CaseReopened(reason=reason, times=times, by_resident=by_resident, reopened_at=ctx.now())
    choice = model.reopen(case, again, near)
    limits.set_limits(case, times_of(ctx, case), ctx.now())
    dispatch.give(case, choice, UnassignedBecause.NOBODY_LEFT)


async def _expect_known(ctx: Context, cmd: FileRequest) -> None:
    """Refuse for a person who was erased, and for a caller of whom nothing is known: CallerUnknown.

    Who is signed in is known: nobody waits for their key, since a case brings a key of its own.
    """
    resident_id = _resident(ctx, cmd)
    try:
        await (ctx.vault.prefetch_keys if cmd.on_behalf_of is None else ctx.vault.ensure_keys)([resident_id])
    except KeyNotHere as late:
        raise model.CallerUnknown(person=resident_id, retry_after=late.retry_after) from None
    if ctx.vault.is_erased(resident_id):
        raise Erased


def _resident(ctx: Context, cmd: FileRequest) -> str:
    return cmd.on_behalf_of or ctx.person


def _written_answers(answers: Mapping[str, Any]) -> list[str]:
    return [one for one in answers.values() if isinstance(one, str)]


def _today(ctx: Context) -> date:
    return ctx.now().astimezone(zone(ctx)).date()


def _filed(
    ctx: Context,
    case: Case,
    cmd: FileRequest,
    item: Item,
    number: str,
    answers: Mapping[str, Any],
    *,
    voice_only: bool,
) -> CaseFiled:
    """What happened; what the resident wrote is sealed, each part by its name."""
    resident_id = _resident(ctx, cmd)
    given = advice_of(ctx, item, cmd.title, cmd.text, *_written_answers(answers))

    def optional(words: str | None, field: str) -> Sealed | None:
        return sealed(ctx, case, field, words) if words else None

    return CaseFiled(
        number=number,
        filed_at=ctx.now(),
        resident_id=resident_id,
        filed_by=ctx.actor.id,
        channel=Channel.ON_BEHALF if cmd.on_behalf_of else Channel.SELF,
        item=item.id,
        item_name=item.name,
        system=item.system,
        area=cmd.area,
        title=sealed(ctx, case, "title", cmd.title),
        text=sealed(ctx, case, "text", cmd.text),
        address=optional(cmd.address, "address"),
        position=optional(model.written(model.position(cmd.lat, cmd.long)), "position"),
        answers=optional(orjson.dumps(answers).decode() if answers else None, "answers"),
        skill=item.skill,
        team_kind=item.team_kind,
        department=item.department,
        tiers=item.tiers,
        first_response_hours=item.first_response_hours,
        resolution_hours=item.resolution_hours,
        voice_only=voice_only,
        followable=item.followable and cmd.followable,
        sensitive=item.sensitive,
        advice=optional(given.advice, "advice"),
        danger_named=given.named,
        accept_within_minutes=minutes_to_accept(item, answers),
        shared_danger=item.shared_danger,
    )
