"""Use cases that change one entity, and the guards that fit every sub-domain: by which places, or by whom."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from services.chassis.domain.entity import Entity
from services.chassis.domain.refusals import NotFound, OutsideYourPlaces
from services.chassis.domain.scope import SYSTEM, Actor
from services.chassis.usecase import Context, Guard, Work, roles_of, usecase

E = TypeVar("E", bound=Entity[Any])
P = ParamSpec("P")

Change = Callable[Concatenate[Context, E, P], Awaitable[None]]
"""The body of a use case that changes one entity: it is loaded before, and written after."""


def changes(
    kind: type[E],
    *,
    allow: str | tuple[str, ...],
    within: Guard | None = None,
    by: str | None = None,
    live: bool = False,
) -> Callable[[Change[E, P]], Work[Concatenate[str, P], E]]:
    """Make a function that changes one entity a use case: it is loaded by its id, guarded, changed and written.

    The id is the parameter ``by`` of the use case and of its route, ``<entity type>_id`` unless named; ``live`` as in
    ``usecase``. ValueError
    without a guard, unless only the system acts.
    """
    if within is None and roles_of(allow) != (SYSTEM,):
        raise ValueError("within: say which of them these roles may change")

    def wrap(change: Change[E, P]) -> Work[Concatenate[str, P], E]:
        async def work(ctx: Context, id: str, /, *args: P.args, **kwargs: P.kwargs) -> E:
            async with ctx.store.change(kind, id) as entity:
                await change(ctx, entity, *args, **kwargs)
            return entity

        _describe(work, change, by or f"{kind.entity_type}_id", kind)
        return usecase(allow=allow, within=within, live=live)(work)

    return wrap


class Placed(Protocol):
    """A command that names a place."""

    def places(self) -> tuple[str, ...]:
        """The area codes from the city down to the place; none where no place is named."""


async def own_places(ctx: Context, entity: Entity[Any], _: Any) -> None:
    """Who is in charge of a place in which the entity lies; OutsideYourPlaces."""
    expect_in_charge(ctx.actor, entity.places())


async def named_places(ctx: Context, _: Entity[Any], command: Placed) -> None:
    """Who is in charge of the place that the command names, for an entity that has none yet; OutsideYourPlaces."""
    if command.places():
        expect_in_charge(ctx.actor, command.places())


async def visible(_: Context, __: Entity[Any], ___: Any) -> None:
    """Who may see the entity: its ``visible`` has found it for the actor, and is the whole guard."""


async def oneself(ctx: Context, entity: Entity[Any], _: Any) -> None:
    """The person that the entity is; PersonNeeded, NotFound."""
    if entity.id != ctx.person:
        raise NotFound


def expect_in_charge(actor: Actor, path: tuple[str, ...]) -> None:
    """OutsideYourPlaces where no place of the actor is on this path from the city down; the system acts everywhere."""
    if not actor.has(SYSTEM) and not actor.is_in_charge_of(path):
        raise OutsideYourPlaces(code=path[-1] if path else "")


def _describe(work: Callable[..., Any], change: Callable[..., Any], id: str, kind: type[Entity[Any]]) -> None:
    """Let the signature of ``work`` name the id where ``change`` takes the entity."""
    functools.update_wrapper(work, change)
    ctx, entity, *rest = inspect.signature(change).parameters.values()
    named = [ctx, entity.replace(name=id, annotation=str), *rest]
    work.__annotations__ = {one.name: one.annotation for one in named} | {"return": kind}
    work.__signature__ = inspect.Signature(named, return_annotation=kind)  # type: ignore[attr-defined]
