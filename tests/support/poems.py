"""The toy's poems: each has a key of its own, and can be forgotten."""

from typing import ClassVar, assert_never

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Event
from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import Sealed
from services.chassis.usecase import Context, usecase


class PoemWritten(Event):
    """Somebody wrote a poem."""

    writer: str
    words: Sealed


class PoemSigned(Event):
    """A poem was signed."""


class PoemForgotten(Event):
    """A poem was forgotten."""


PoemEvent = PoemWritten | PoemSigned | PoemForgotten


class Poem(Entity[PoemEvent]):
    """Words of somebody, under a key of the poem."""

    entity_type: ClassVar[str] = "poem"
    own_key: ClassVar[bool] = True

    writer: str
    words: Sealed

    def apply(self, event: PoemEvent) -> None:
        """Fold an event into the state."""
        match event:
            case PoemWritten():
                self.writer, self.words = event.writer, event.words
            case PoemSigned() | PoemForgotten():
                pass
            case _:
                assert_never(event)

    def subjects(self) -> tuple[str, ...]:
        """Its writer."""
        return (self.writer,)


@usecase(allow=SYSTEM)
async def write_poem(ctx: Context, writer: str, words: str) -> Poem:
    """Write a poem."""
    async with ctx.store.create(Poem) as poem:
        poem.record(PoemWritten(writer=writer, words=ctx.vault.seal_own(words, poem, "words")))
    return poem


@usecase(allow=SYSTEM)
async def sign_poem(ctx: Context, id: str) -> Poem:
    """Sign a poem."""
    async with ctx.store.change(Poem, id) as poem:
        poem.record(PoemSigned())
    return poem


@usecase(allow=SYSTEM)
async def forget_poem(ctx: Context, id: str) -> Poem:
    """Forget a poem."""
    async with ctx.store.change(Poem, id) as poem:
        if poem.wrapped_key is not None:
            poem.forget(PoemForgotten())
    return poem
