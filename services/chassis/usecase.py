"""The frame of every use case: permission, retry on conflict, the same answer to a repeat, span, metric."""

import asyncio
import functools
import inspect
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import orjson
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Origin
from services.chassis.domain.refusals import Busy, Forbidden, Kind, PersonNeeded, Refusal, SignInNeeded
from services.chassis.domain.scope import NOBODY, PUBLIC, SYSTEM, Actor, system_actor
from services.chassis.domain.texts import Texts
from services.chassis.domain.words import DEFAULT
from services.chassis.storage.change_notifier import ChangeNotifier
from services.chassis.storage.claims import Claims, Conflict, UniqueValue
from services.chassis.storage.mongo import Mongo
from services.chassis.storage.prefetched import Prefetched
from services.chassis.storage.reference import Reference, ReferenceReads
from services.chassis.storage.revocations import Revocations
from services.chassis.storage.store import AlreadyDone, Store
from services.chassis.storage.vault import Opened, Vault
from services.chassis.telemetry import logs, metrics, tracing

log = logs.get()

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")

_TRIES, _LONGEST_PAUSE = 10, 0.2


class Command(BaseModel):
    """The input of a use case: the body of a request; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _can_be_kept(cls, given: Any) -> Any:
        """Refuse text that cannot be stored, wherever it is in the input: all text enters here."""
        try:
            orjson.dumps(given, default=str, option=orjson.OPT_STRICT_INTEGER)
        except orjson.JSONEncodeError:
            raise PydanticCustomError("not_i_json", "is not I-JSON (RFC 7493)") from None
        return given


@dataclass(frozen=True)
class Container:
    """What a process provides to its use cases; ``app.py`` puts it together."""

    service: str
    city: str
    mongo: Mongo
    vault: Vault
    clock: Callable[[], datetime]
    dependencies: Mapping[type, Any]
    texts: Texts
    changes: ChangeNotifier
    reference: Reference
    revocations: Revocations
    sharded: frozenset[str] = frozenset()
    """The collections that are sharded."""

    def context(self, actor: Actor, cause: str, **more: Any) -> "Context":
        """A context for a request; ``more`` as in Context."""
        return Context(self, actor, cause, self.clock(), **more)

    def system_context(self, name: str, cause: str, trace: str | None = None, **more: Any) -> "Context":
        """A context for the system itself: a reaction or a timer; ``more`` as in Context."""
        return self.context(system_actor(name), cause, trace=trace, **more)


@dataclass(frozen=True)
class Context:
    """Who acts, when and why, and what a use case works with."""

    container: Container
    actor: Actor
    cause: str
    at: datetime
    fingerprint: str | None = None
    trace: str | None = None
    if_match: frozenset[int] | None = None
    within: "Guard | None" = None
    command: Command | None = None
    language: str = DEFAULT
    taken: frozenset[UniqueValue] = frozenset()
    """Values of unique fields that an earlier run of the use case found to be another entity's."""
    confirms: bool = False
    """Whether an earlier run was refused because of reference data that was held: this one asks the database."""
    prefetched: Prefetched | None = None
    """What a timer has read of the entity that is due."""
    opened: Opened = field(default_factory=Opened)
    """Shared by all contexts of one request."""

    @functools.cached_property
    def store(self) -> Store:
        """This service's database, narrowed to what this actor may see."""
        origin = Origin(self.at, self.actor.id, self.container.city, self.cause, self.fingerprint, self.trace)
        vault = self.container.vault
        return Store(
            self.container.mongo,
            self.actor,
            origin,
            self.if_match,
            vault.new_key,
            self._run_guard,
            vault,
            self.container.sharded,
            self.prefetched,
        )

    @functools.cached_property
    def reference(self) -> ReferenceReads:
        """Reference data, as the system actor sees it. Who holds a post may have changed it and reads the database."""
        post = self.actor.places or self.actor.organisations
        return ReferenceReads(self.container.reference, confirmed=self.confirms or bool(post))

    @property
    def claims(self) -> Claims:
        """Natural keys, and values that must be unique."""
        return Claims(self.container.mongo, self.cause, self.container.sharded, self.taken)

    @functools.cached_property
    def vault(self) -> Vault:
        """Seals and opens personal data; records whose data is opened."""
        return self.container.vault.noting(self.opened.note)

    @property
    def person(self) -> str:
        """The id of the person who acts; PersonNeeded for an account without one."""
        if self.actor.person is None:
            raise PersonNeeded
        return self.actor.person

    def now(self) -> datetime:
        """The instant of this use case: the same in all that it records."""
        return self.at

    def dependency(self, kind: type[T]) -> T:
        """A dependency from ``app.py``, by its class: a calendar, a sender; KeyError where ``app.py`` has none."""
        found: T = self.container.dependencies[kind]
        return found

    def guarded(self, within: "Guard | None", command: Command | None) -> "Context":
        """A fresh context for one run of a use case, whose store applies this guard."""
        return replace(self, within=within, command=command)

    def substep(self, name: str) -> "Context":
        """The same request for another entity that must be written first: one cause writes one entity."""
        return replace(self, cause=f"{self.cause}#{name}", if_match=None)

    async def _run_guard(self, entity: Entity[Any]) -> None:
        if self.within is None:
            raise RuntimeError("a use case that changes an entity states its guard: within=")
        await self.within(self, entity, self.command)


Guard = Callable[[Context, Any, Any], Awaitable[None]]
"""Refuses, by (context, entity, command), who may not change this very entity, or not now.

The store runs it when the entity is loaded or made, before the body of the use case: after a repeat was answered, or
where ``create`` makes the id from the cause, before that (a repeat is found at the insert, or before a refusal leaves).
"""


@dataclass(frozen=True)
class UseCase:
    """The metadata of a use case."""

    name: str
    allow: tuple[str, ...]
    sentence: str
    within: Guard | None
    live: bool = False
    """Whether it asks the database first if the actor's token still holds: a process hears of an end a second late."""

    @property
    def changes(self) -> bool:
        """Whether it may change an entity; the store refuses the others."""
        return self.within is not None


REGISTER: dict[str, UseCase] = {}
"""Every use case by ``<module>.<function>``, so that permissions can be read, checked and documented."""

Work = Callable[Concatenate[Context, P], Coroutine[Any, Any, R]]
Roles = str | tuple[str, ...]


def roles_of(allow: Roles) -> tuple[str, ...]:
    """The roles that ``allow`` names, alone or as several."""
    return (allow,) if isinstance(allow, str) else allow


def usecase(*, allow: Roles, within: Guard | None = None, live: bool = False) -> Callable[[Work[P, R]], Work[P, R]]:
    """Make a function a use case for some roles (``public``: everybody; ``system``: reactions and timers).

    ``within`` says which entities these roles hold for; without it the use case may only read. What is for ``system``
    alone needs none. ``live`` is for what gives rights, or shows or destroys what nobody can take back. The use case
    raises what the function refuses, Forbidden or SignInNeeded for other roles, TokenInvalid where it is ``live``, Busy
    where many write one entity. ValueError without a role: nothing is open by omission.
    """
    roles = roles_of(allow)
    if not roles or not all(roles):
        raise ValueError("allow: say for whom this use case is")
    guard = within or (system_only if roles == (SYSTEM,) else None)

    def wrap(work: Work[P, R]) -> Work[P, R]:
        known = UseCase(_name(work), roles, inspect.getdoc(work) or "", guard, live)
        REGISTER[known.name] = known

        async def run(ctx: Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
            return await _observed(known, ctx, lambda: _repeated(known, work, ctx, *args, **kwargs))

        functools.update_wrapper(run, work)
        run.__usecase__ = known  # type: ignore[attr-defined]
        return run

    return wrap


async def system_only(_: Context, __: Entity[Any], ___: Any) -> None:
    """The guard of what only reactions and timers call: it refuses nothing, their role is the whole permission."""


def known_as(work: Callable[..., Any]) -> UseCase:
    """The use case of a function; AttributeError if it is none."""
    return cast(UseCase, work.__usecase__)  # type: ignore[attr-defined]


def _name(work: Callable[..., Any]) -> str:
    parts = [part for part in work.__module__.split(".") if part not in ("services", "commands", "queries")]
    return ".".join([*parts, work.__name__])


async def _observed(known: UseCase, ctx: Context, work: Callable[[], Awaitable[R]]) -> R:
    start, outcome, why = time.perf_counter(), "error", dict[str, str]()
    with tracing.span(known.name):
        try:
            _permit(known, ctx.actor)
            if known.live and not ctx.actor.has(SYSTEM):
                await ctx.container.revocations.expect_live(ctx.actor)
            answer = await work()
            outcome = "ok"
            return answer
        except Refusal as refusal:
            outcome, why = _refused(refusal)
            raise
        finally:
            metrics.usecase_seconds.labels(known.name, outcome).observe(seconds := time.perf_counter() - start)
            facts = {"usecase": known.name, "actor": ctx.actor.id, "outcome": outcome, "seconds": round(seconds, 4)}
            log.info("a use case ran", **facts, **why)


def _refused(refusal: Refusal) -> tuple[str, dict[str, str]]:
    """(outcome, fields of the log line): an outage is not a rule, and an operator must learn what is away."""
    if refusal.kind is Kind.UNAVAILABLE:
        return "unavailable", {"code": refusal.code(), "reason": str(refusal)}
    return "refused", {"code": refusal.code()}


def _permit(known: UseCase, actor: Actor) -> None:
    if PUBLIC in known.allow or actor.has(SYSTEM, *known.allow):
        return
    if actor is NOBODY:
        raise SignInNeeded
    raise Forbidden(roles=list(known.allow))


async def _repeated(known: UseCase, work: Work[P, R], ctx: Context, *args: P.args, **kwargs: P.kwargs) -> R:
    command = next((given for given in (*args, *kwargs.values()) if isinstance(given, Command)), None)
    for attempt in range(_TRIES):
        fresh = ctx.guarded(known.within, command)
        try:
            return await work(fresh, *args, **kwargs)
        except AlreadyDone as done:
            return await fresh.store.as_left(done.kind, done.id)  # type: ignore[return-value]
        except Refusal as refusal:
            if refusal.kind is Kind.UNAVAILABLE or not fresh.reference.rested_on_held:
                raise
            ctx = replace(ctx, confirms=True)
        except Conflict as conflict:
            if conflict.taken & ctx.taken:
                raise RuntimeError(f"{known.name} does not pass over {conflict}") from conflict
            ctx = replace(ctx, taken=ctx.taken | conflict.taken)
            longest = min(_LONGEST_PAUSE, 0.005 * 2**attempt)
            await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - jitter, not a secret
    raise Busy(retry_after=1)
