"""By what somebody shows that a phone is still theirs."""

import re
from typing import Annotated

from pydantic import Field

from services.chassis.domain.spelling import normal
from services.chassis.domain.writing import LEGIBLE
from services.chassis.usecase import Command, Context
from services.members.cases.queries import is_case_of
from services.members.people.queries import name_fits

MOST_NAMES = 3
"""After this number of wrong names for the holder of a phone no name counts, until somebody signs in with it."""

_TITLES = re.compile(r"\u5148\u751f|\u5973\u58eb|\u5c0f\u59d0|\u5e08\u5085|\u963f\u59e8")
"""Mr, Ms, Miss, Master, Aunt: a caller of whom only this is noted can be anybody."""

_ASKED = "asked for where the phone was not used for long (409 `phone-silent`); read by nobody, only compared"


class HolderProof(Command):
    """Whose phone it is, where it was silent for long: by the name, by a case, or somebody new."""

    name: Annotated[str, Field(min_length=1, max_length=80, description=f"your name; {_ASKED}"), LEGIBLE] | None = None
    case_number: (
        Annotated[str, Field(min_length=1, max_length=40, description=f"of one of your requests; {_ASKED}"), LEGIBLE]
        | None
    ) = None
    tracking_code: (
        Annotated[str, Field(min_length=1, max_length=20, description=f"goes with the number; {_ASKED}"), LEGIBLE]
        | None
    ) = None
    new_owner: Annotated[
        bool, Field(description="you have the phone since lately: you start with a file of your own")
    ] = False

    @property
    def says(self) -> bool:
        """Whether anything is said of who they are."""
        return self.name is not None or self.case_number is not None


async def is_proven(ctx: Context, holder: str, proof: HolderProof, wrong_names: int) -> bool:
    """Whether it is the holder who says this. After some wrong names only a case shows it."""
    if proof.case_number and await is_case_of(ctx, holder, proof.case_number, proof.tracking_code or ""):
        return True
    if proof.name is None or wrong_names >= MOST_NAMES or not is_telling(proof.name):
        return False
    return await name_fits(ctx, holder, proof.name)


def is_telling(name: str) -> bool:
    """Whether a name can show who somebody is: those by which operators note callers are guessed at once."""
    plain = normal(name)
    return len(plain) > 1 and _TITLES.search(plain) is None
