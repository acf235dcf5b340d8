"""By what somebody shows that a phone is still theirs."""

from typing import Annotated

from pydantic import Field

from services.chassis.domain.writing import LEGIBLE
from services.chassis.usecase import Command, Context
from services.members.cases.queries import is_case_of
from services.members.people.queries import name_fits

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


async def is_proven(ctx: Context, holder: str, proof: HolderProof) -> bool:
    """Whether it is the holder who says this."""
    if proof.case_number and await is_case_of(ctx, holder, proof.case_number, proof.tracking_code or ""):
        return True
    return proof.name is not None and await name_fits(ctx, holder, proof.name)
