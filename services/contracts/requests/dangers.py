"""Words of danger as a city has them in its data, and the advice that a case is filed with."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

from services.chassis.domain import phrases
from services.chassis.domain.events import Event
from services.chassis.domain.phrases import Phrase
from services.chassis.domain.values import Code, Sealed
from services.chassis.domain.words import Words

Number = Annotated[str, StringConstraints(pattern=r"^\d{3,5}$")]
Phrases = tuple[Phrase, ...]


class DangerShape(BaseModel):
    """The base of its parts: unknown fields are errors, entries are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Doubt(DangerShape):
    """Words near those of a danger which say that it is none now: that it may come, or is long over.

    ``before`` and ``after`` stand in the same clause, close by; ``around`` anywhere in the sentence.
    """

    before: Phrases = ()
    after: Phrases = ()
    around: Phrases = ()


class Danger(DangerShape):
    """A kind of danger: its words, whom to ring, and what to do now."""

    code: Code
    advice: Words
    short: Words
    """For a text message, which others may read: it names no sensitive matter."""
    numbers: tuple[Number, ...] = Field(min_length=1)
    """Whom to ring, the first one first."""
    items: tuple[str, ...]
    """The codes of the service items to suggest, the best one first."""
    phrases: Phrases = Field(min_length=1)
    harmless: Phrases = ()
    """What is passed over where this kind is looked for, and for no other."""
    doubts: tuple[str, ...] = ()
    """By which doubts it counts as none."""


class Advice(BaseModel):
    """What to do at once, as a case is filed with it; ``kind`` is None where its service item says so."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Code | None = None
    text: Words
    short: Words
    numbers: list[str] = Field(default_factory=list)


_ADVICE = TypeAdapter(list[Advice])
_PADDED = 2048


def written(advice: Sequence[Advice]) -> str:
    """Advice as one text, to be sealed: padded, since its length would tell the kind."""
    text = _ADVICE.dump_json([*advice]).decode()
    return text + " " * (-len(text.encode()) % _PADDED)


def read(text: str) -> list[Advice]:
    """Advice from its text."""
    return _ADVICE.validate_json(text)


class DangerUnfounded(Event):
    """Staff found that the words of a case name a danger that there is not: its mark is taken off."""

    reason: Sealed


class CityDangers(DangerShape):
    """The file ``dangers.json``: kinds of danger, the more urgent first, and words that only sound like one."""

    source: str
    lists: Mapping[str, tuple[str, ...]]
    """Words that phrases name as ``{family}``."""
    harmless: Phrases
    undoubted: Phrases = ()
    """Words in which a doubt only seems to stand, since it is written with the same characters."""
    doubts: Mapping[str, Doubt]
    kinds: tuple[Danger, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        """Each phrase can be read, and names what is there."""
        parts = [one.phrases + one.harmless for one in self.kinds]
        parts += [one.before + one.after + one.around for one in self.doubts.values()]
        for some in (self.harmless, self.undoubted, *parts):
            phrases.Phrases.of(some, self.lists)
        if unknown := {name for kind in self.kinds for name in kind.doubts} - self.doubts.keys():
            raise ValueError(f"{', '.join(sorted(unknown))}: there is no such doubt")
        if len({kind.code for kind in self.kinds}) < len(self.kinds):
            raise ValueError("a kind is listed twice")
        return self
