"""The toy's shop: a service with jars into which coins are dropped."""

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Self, assert_never

from pydantic import BaseModel, Field

from services.chassis.domain.entity import Entity, Index
from services.chassis.domain.events import Event
from services.chassis.domain.paging import Order, Page, PageQuery
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, PUBLIC, SYSTEM, Actor, Visible
from services.chassis.domain.values import Instant, Private, Sealed, Text
from services.chassis.guards import changes, visible
from services.chassis.http.routes import Routes
from services.chassis.runtime.service import Service
from services.chassis.schedule.timers import Timer
from services.chassis.usecase import Command, Context, usecase

KEEPER = Actor("keeper", frozenset({"keeper"}), ("1507",))
OTHER = Actor("other", frozenset({"keeper"}), ("1508",))


class Guessed(Refusal):
    kind = Kind.STATE


class Full(Refusal):
    kind = Kind.STATE


class JarOpened(Event):
    """A jar came into being."""

    label: str
    keeper: str
    size: int = 1000
    secret: Annotated[str | None, Private] = None
    owner: Sealed | None = None
    ripe_at: Instant | None = None


class CoinDropped(Event):
    """Coins fell into a jar."""

    coins: int


class GuessMissed(Event):
    """Somebody guessed the content and was wrong."""

    private = True


class JarMoved(Event):
    """A jar is kept by somebody else."""

    keeper: str


class JarRipened(Event):
    """The time of a jar came."""

    next_at: Instant | None


JarEvent = JarOpened | CoinDropped | GuessMissed | JarMoved | JarRipened


class Jar(Entity[JarEvent]):
    """A jar for coins."""

    entity_type: ClassVar[str] = "jar"
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(("ripe_at",), sparse=True),
        Index(("under", "total", "id")),
    )

    label: str
    keeper: str
    size: int = 1000
    total: int = 0
    misses: int = 0
    secret: str | None = None
    owner: Sealed | None = None
    ripe_at: Instant | None = None
    ripened: int = 0
    done_at: Instant | None = None

    def apply(self, event: JarEvent) -> None:
        """Fold an event into the state."""
        match event:
            case JarOpened():
                self.label, self.keeper, self.size = event.label, event.keeper, event.size
                self.secret, self.owner, self.ripe_at = event.secret, event.owner, event.ripe_at
            case CoinDropped():
                self.total += event.coins
            case GuessMissed():
                self.misses += 1
            case JarMoved():
                self.keeper = event.keeper
            case JarRipened():
                self.ripened, self.ripe_at = self.ripened + 1, event.next_at
            case _:
                assert_never(event)

    def places(self) -> tuple[str, ...]:
        """All in one city."""
        return ("1507",)

    def subjects(self) -> tuple[str, ...]:
        """Its keeper, where the owner's name is sealed."""
        return (self.keeper,) if self.owner else ()

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """The system sees all jars, a keeper its own, an inspector those of a place."""
        if actor.has(SYSTEM):
            return ALL
        seen = Visible().where("state.keeper", actor.id)
        return seen.where("under", *actor.places) if actor.has("inspector") else seen


class OpenJar(Command):
    """What the jar is to be."""

    label: Text
    size: int = 1000
    secret: str | None = None
    answers: dict[str, Any] = Field(default_factory=dict)


class DropCoin(Command):
    """How much."""

    coins: int = 1


class MoveJar(Command):
    """To whom."""

    keeper: str


class GuessTotal(Command):
    """What somebody thinks is inside."""

    total: int


class JarView(BaseModel):
    """A jar as its keeper sees it."""

    id: str
    label: str
    total: int
    keeper: str
    owner: str | None

    @classmethod
    def of(cls, jar: Jar, ctx: Context) -> Self:
        """With the owner's name in clear."""
        owner = ctx.vault.open(jar.owner, jar.keeper, "owner") if jar.owner else None
        return cls(id=jar.id, label=jar.label, total=jar.total, keeper=jar.keeper, owner=owner)


class JarQuery(PageQuery):
    """Which jars."""

    label: str | None = None


@usecase(allow="keeper", within=visible)
async def open_jar(ctx: Context, cmd: OpenJar) -> Jar:
    """Open a jar."""
    async with ctx.store.create(Jar) as jar:
        jar.record(JarOpened(label=cmd.label, keeper=ctx.actor.id, size=cmd.size, secret=cmd.secret))
    return jar


@changes(Jar, allow=("keeper", SYSTEM), within=visible)
async def drop_coin(ctx: Context, jar: Jar, cmd: DropCoin) -> None:
    """Drop coins into a jar."""
    if jar.total + cmd.coins > jar.size:
        raise Full
    jar.record(CoinDropped(coins=cmd.coins))


@changes(Jar, allow="keeper", within=visible)
async def move_jar(ctx: Context, jar: Jar, cmd: MoveJar) -> None:
    """Give a jar to somebody else."""
    jar.record(JarMoved(keeper=cmd.keeper))


@changes(Jar, allow="keeper", within=visible)
async def guess_total(ctx: Context, jar: Jar, cmd: GuessTotal) -> None:
    """Guess what is inside; wrong guesses are counted."""
    if cmd.total != jar.total:
        jar.refuse(GuessMissed(), Guessed(times=jar.misses + 1))
    jar.record(CoinDropped(coins=0))


@usecase(allow="keeper")
async def break_down(ctx: Context) -> Jar:
    """Fail by a bug."""
    raise ZeroDivisionError("a secret inside")


@usecase(allow="keeper")
async def get_jar(ctx: Context, jar_id: str) -> Jar:
    """Look at a jar."""
    return await ctx.store.get(Jar, jar_id)


@usecase(allow=("keeper", "inspector"))
async def list_jars(ctx: Context, query: JarQuery) -> Page[Jar]:
    """Find jars, by what is in them."""
    where = {"state.label": query.label} if query.label else {}
    return await ctx.store.page(Jar, where, order=Order("state.total"), limit=query.limit, after=query.after)


@usecase(allow=PUBLIC)
async def say_hello(ctx: Context) -> None:
    """Greet everybody."""


@changes(Jar, allow=SYSTEM)
async def ripen(ctx: Context, jar: Jar) -> None:
    """Let a jar ripen; it is due again a day later."""
    if jar.label == "rotten":
        raise ZeroDivisionError(jar.id)
    if jar.label != "idle" and jar.ripe_at is not None:
        jar.record(JarRipened(next_at=jar.ripe_at + timedelta(days=1)))


routes = Routes("/v1/jars", "jars")
routes.list("", list_jars, view=JarView)
routes.post("", open_jar, view=JarView, location="/v1/jars/{id}")
routes.get("/hello", say_hello)
routes.get("/{jar_id}", get_jar, view=JarView)
routes.post("/{jar_id}/coins", drop_coin, view=JarView, status=200)
routes.post("/{jar_id}/guesses", guess_total, view=JarView, status=200)
routes.put("/{jar_id}/keeper", move_jar, view=JarView)
routes.post("/break", break_down, view=JarView)

shop = Service(
    name="members",
    texts=("tests.support.jars",),
    entities=(Jar,),
    routes=(routes,),
    timers=(Timer("ripen", Jar, "ripe_at", ripen),),
    mints_keys=True,
)
