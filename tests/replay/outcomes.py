"""What becomes of each message: who files it, what happens on the way, how it is rated. A stable choice by its id."""

from dataclasses import dataclass

from tests.replay.places import number

# Of a thousand messages, so many; each choice is made for itself.
ON_BEHALF = 500
PAUSED = 80
RETURNED = 60
RETURNED_TWICE = 20
REDISPATCHED = 40
URGED = 50
REOPENED = 50
LISTENS = 200
_SCORES = (5, 5, 5, 4, 4, 4, 3, 3, 2, 1)
# Mainland mobile numbers: prefixes in use, as the numbering plan has them.
_PREFIXES = ("135", "136", "137", "138", "139", "150", "151", "152", "157", "158", "159", "186", "187", "188")


@dataclass(frozen=True)
class PlannedOutcome:
    """What is to happen to one message."""

    on_behalf: bool
    paused: bool
    returned: int
    redispatched: bool
    urged: bool
    reopened: bool
    listens: bool
    score: int

    @property
    def content(self) -> bool:
        """Whether the resident is content in the end."""
        return self.score >= 3


def planned(seed: int, message: str) -> PlannedOutcome:
    """The same for the same seed and message id."""

    def of_thousand(what: str) -> int:
        return number(f"{seed}:{what}:{message}", 1000)

    chance = of_thousand("returned")
    returned = 2 if chance < RETURNED_TWICE else 1 if chance < RETURNED else 0
    return PlannedOutcome(
        on_behalf=of_thousand("on-behalf") < ON_BEHALF,
        paused=of_thousand("paused") < PAUSED,
        returned=returned,
        redispatched=not returned and of_thousand("redispatched") < REDISPATCHED,
        urged=of_thousand("urged") < URGED,
        reopened=of_thousand("reopened") < REOPENED,
        listens=of_thousand("listens") < LISTENS,
        score=_SCORES[of_thousand("score") % len(_SCORES)],
    )


def phone(user: str) -> str:
    """A mobile number for a pseudonym, in the form of a real one: the same user always has the same."""
    prefix = _PREFIXES[number(f"prefix:{user}", len(_PREFIXES))]
    return f"+86{prefix}{number(f'phone:{user}', 10**8):08}"
