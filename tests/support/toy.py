"""A toy city in two services: a shop with jars into which coins are dropped, and a hall that counts and notes them."""

from typing import ClassVar

from pydantic import Field

from services.chassis.domain.entity import Copy, Entity
from services.chassis.domain.events import Event
from services.chassis.domain.refusals import NotFound
from services.chassis.domain.scope import SYSTEM
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import Create, Effect, reaction
from services.chassis.runtime.service import Service
from services.chassis.usecase import Context, usecase
from tests.support.jars import (
    KEEPER,
    OTHER,
    CoinDropped,
    DropCoin,
    Full,
    Guessed,
    GuessMissed,
    GuessTotal,
    Jar,
    JarMoved,
    JarOpened,
    JarRipened,
    JarView,
    MoveJar,
    OpenJar,
    drop_coin,
    get_jar,
    guess_total,
    list_jars,
    move_jar,
    open_jar,
    ripen,
    routes,
    shop,
)

__all__ = [
    "KEEPER",
    "OTHER",
    "CoinDropped",
    "Counted",
    "DropCoin",
    "Full",
    "GuessMissed",
    "GuessTotal",
    "Guessed",
    "Jar",
    "JarCopy",
    "JarMoved",
    "JarOpened",
    "JarRipened",
    "JarView",
    "MoveJar",
    "Note",
    "NoteWritten",
    "OpenJar",
    "Poison",
    "Sum",
    "add_up",
    "begin_sum",
    "count_coins",
    "drop_coin",
    "get_jar",
    "guess_total",
    "hall",
    "label_coins",
    "list_jars",
    "move_jar",
    "note_coins",
    "open_jar",
    "ripen",
    "routes",
    "shop",
    "sum_of",
]


class Counted(Event):
    """Coins were added to the sum of the hall."""

    coins: int
    jar_id: str


class Sum(Entity[Counted]):
    """What all coins of one jar come to: counted by a use case, wrong as soon as one event counts twice."""

    entity_type: ClassVar[str] = "sum"

    total: int = 0
    order: list[int] = Field(default_factory=list)

    def apply(self, event: Counted) -> None:
        """Fold an event into the state."""
        self.total += event.coins
        self.order = [*self.order, event.coins]


class NoteWritten(Event):
    """A note was written because of coins."""

    about: str
    coins: int


class Note(Entity[NoteWritten]):
    """One for each drop."""

    entity_type: ClassVar[str] = "note"

    about: str
    coins: int

    def apply(self, event: NoteWritten) -> None:
        """Fold an event into the state."""
        self.about, self.coins = event.about, event.coins


class JarCopy(Copy[JarOpened | CoinDropped]):
    """What the hall knows of a jar."""

    entity_type: ClassVar[str] = "jar"
    creates = (JarOpened,)

    label: str
    total: int = 0

    def apply(self, event: JarOpened | CoinDropped) -> None:
        """Take an event of the jar into the copy."""
        match event:
            case JarOpened():
                self.label = event.label
            case CoinDropped():
                self.total += event.coins


@usecase(allow=SYSTEM)
async def begin_sum(ctx: Context, jar_id: str) -> Sum:
    """Begin to count a jar."""
    async with ctx.store.create(Sum, f"sum_{jar_id}") as total:
        total.record(Counted(coins=0, jar_id=jar_id))
    return total


@usecase(allow=SYSTEM)
async def add_up(ctx: Context, jar_id: str, coins: int) -> Sum:
    """Count coins of a jar."""
    async with ctx.store.change(Sum, f"sum_{jar_id}") as total:
        total.record(Counted(coins=coins, jar_id=jar_id))
    return total


class Poison:
    """What the hall's reaction chokes on, for tests: amounts of coins."""

    coins: ClassVar[set[int]] = set()


@reaction("count-coins", JarOpened, CoinDropped)
async def count_coins(ctx: Context, delivered: Delivered, event: JarOpened | CoinDropped) -> None:
    """Count what falls into each jar."""
    match event:
        case JarOpened():
            await begin_sum(ctx, delivered.entity)
        case CoinDropped():
            if event.coins in Poison.coins:
                raise ValueError(f"{event.coins} coins are poison")
            await add_up(ctx, delivered.entity, event.coins)


@reaction("note-coins", CoinDropped)
async def note_coins(ctx: Context, delivered: Delivered, event: CoinDropped) -> list[Effect]:
    """Note each drop."""
    written = NoteWritten(about=delivered.entity, coins=event.coins)
    return [Create.of(Note, ctx, "note", written)]


@reaction("label-coins", CoinDropped, reads=(JarCopy,))
async def label_coins(ctx: Context, delivered: Delivered, event: CoinDropped) -> list[Effect]:
    """Note each drop with the label of its jar. For services of their own: the hall has no such reaction."""
    jar = await ctx.store.get(JarCopy, delivered.entity)
    return [Create.of(Note, ctx, "label", NoteWritten(about=f"{jar.label} {jar.id}", coins=event.coins))]


async def sum_of(ctx: Context, jar_id: str) -> Sum:
    """The sum of a jar; an empty one where nothing has been counted."""
    try:
        return await ctx.store.get(Sum, f"sum_{jar_id}")
    except NotFound:
        return Sum(id=f"sum_{jar_id}")


hall = Service(
    name="requests",
    entities=(Note, Sum),
    copies=(JarCopy,),
    reactions=(count_coins, note_coins),
    listens_to=("members",),
)
