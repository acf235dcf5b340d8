"""The toy's letters: each has a key of its own, and can be forgotten."""

from typing import ClassVar, assert_never

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Event
from services.chassis.domain.scope import SYSTEM
from services.chassis.domain.values import Sealed
from services.chassis.usecase import Context, usecase


class LetterWritten(Event):
    """Somebody wrote a letter."""

    writer: str
    words: Sealed


class LetterSigned(Event):
    """A letter was signed."""


class LetterForgotten(Event):
    """A letter was forgotten."""


LetterEvent = LetterWritten | LetterSigned | LetterForgotten


class Letter(Entity[LetterEvent]):
    """Words of somebody, under a key of the letter."""

    entity_type: ClassVar[str] = "letter"
    own_key: ClassVar[bool] = True

    writer: str
    words: Sealed

    def apply(self, event: LetterEvent) -> None:
        """Take an event into the state."""
        match event:
            case LetterWritten():
                self.writer, self.words = event.writer, event.words
            case LetterSigned() | LetterForgotten():
                pass
            case _:
                assert_never(event)

    def subjects(self) -> tuple[str, ...]:
        """Its writer."""
        return (self.writer,)


@usecase(allow=SYSTEM)
async def write_letter(ctx: Context, writer: str, words: str) -> Letter:
    """Write a letter."""
    async with ctx.store.create(Letter) as letter:
        letter.record(LetterWritten(writer=writer, words=ctx.vault.seal_own(words, letter, "words")))
    return letter


@usecase(allow=SYSTEM)
async def sign_letter(ctx: Context, id: str) -> Letter:
    """Sign a letter."""
    async with ctx.store.change(Letter, id) as letter:
        letter.record(LetterSigned())
    return letter


@usecase(allow=SYSTEM)
async def forget_letter(ctx: Context, id: str) -> Letter:
    """Forget a letter."""
    async with ctx.store.change(Letter, id) as letter:
        if letter.wrapped_key is not None:
            letter.forget(LetterForgotten())
    return letter
