"""The rows of the table of guards of members: one command on one kind of thing."""

from dataclasses import dataclass
from typing import Any

from services.chassis.domain.events import Event
from services.chassis.domain.scope import Actor
from services.chassis.usecase import Context, known_as
from tests.members.callers import Right, Who, by_role
from tests.support.guards import Row, Thing


@dataclass(frozen=True)
class Case:
    """One command on one kind of thing in one state."""

    work: Any
    roles: tuple[str, ...]
    right: Right
    given: tuple[Any, ...] = ()
    records: type[Event] | None = None
    state: str = "open"


def row(
    case: Case,
    who: Who,
    actor: Actor,
    given: tuple[Any, ...] | None = None,
    *,
    thing: Thing | None = None,
    right: str | None = None,
    key: str | None = None,
) -> Row:
    """A row; ``key`` is the person whose key the command needs."""
    arguments = case.given if given is None else given

    async def run(ctx: Context) -> Any:
        if key:
            await ctx.vault.mint(key, ctx.now())
        return await case.work(ctx, *arguments)

    outcome = right or by_role(who, *case.roles) or case.right(who)
    return Row(known_as(case.work).name, f"{case.state}, by {who.label}", actor, run, outcome, case.records, thing)
