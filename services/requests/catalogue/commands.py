"""Publishing and withdrawing service items."""

from typing import Annotated, Any, Literal

from pydantic import Field

from services.chassis.domain.values import shaped
from services.chassis.domain.words import GivenWords
from services.chassis.domain.writing import LEGIBLE
from services.chassis.guards import changes
from services.chassis.usecase import Command, Context, usecase
from services.contracts.members.roles import Role
from services.contracts.members.teams import TeamKind
from services.contracts.requests.catalogue import Choice as EventChoice
from services.contracts.requests.catalogue import FieldFormat, FieldKind, ItemPublished, Mode, System, Tier
from services.contracts.requests.catalogue import FormField as EventField
from services.requests.catalogue import model
from services.requests.catalogue.model import Item
from services.requests.catalogue.queries import DANGER_ANSWERS
from services.requests.providers.model import expect_citywide

LocalText = Annotated[str, Field(min_length=1, max_length=500), LEGIBLE]
ShortText = Annotated[str, Field(min_length=1, max_length=200), LEGIBLE]
Hours = Annotated[float, Field(gt=0, le=500, description="working hours")]
Code = Annotated[
    str,
    shaped(
        r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        "item-code",
    ),
]
_BOUND = "of a number, of the length of a text, of the number of choices, or of a moment in days from today"
OfferedTier = Literal[Tier.STATION, Tier.TEAM, Tier.CENTRE, Tier.COUNTY]


class LocalisedText(GivenWords):
    """A text in Chinese, in English and in as many further languages as wanted, each under its tag (RFC 5646)."""

    __pydantic_extra__: dict[str, LocalText] = Field(init=False)

    zh: LocalText
    en: LocalText


class Choice(LocalisedText):
    """One of the answers that a field offers."""

    key: Code


class FormField(Command):
    """One question that an item asks."""

    code: Code
    label: LocalisedText
    kind: FieldKind
    required: bool
    values: Annotated[list[Choice], Field(max_length=50, default_factory=list)]
    format: Annotated[FieldFormat | None, Field(description="what an answer must be besides its kind")] = None
    minimum: Annotated[float | None, Field(ge=-1e15, le=1e15, description=_BOUND)] = None
    maximum: Annotated[float | None, Field(ge=-1e15, le=1e15, description=_BOUND)] = None

    def as_event(self) -> EventField:
        """As events carry it."""
        values = [EventChoice.model_validate(one.model_dump()) for one in self.values]
        return EventField(
            code=self.code,
            label=self.label.words(),
            kind=self.kind,
            required=self.required,
            values=values,
            format=self.format,
            minimum=self.minimum,
            maximum=self.maximum,
        )


class PublishItem(Command):
    """A service item as the city's catalogue file has it."""

    code: Code
    system: System
    group: LocalisedText
    name: LocalisedText
    general: bool
    active: Literal[True] = True
    eligibility: LocalisedText
    materials: Annotated[list[LocalisedText], Field(max_length=30)]
    steps: Annotated[list[LocalisedText], Field(min_length=1, max_length=30)]
    mode: Mode
    tiers: Annotated[list[OfferedTier], Field(min_length=1, max_length=4)]
    team_kind: TeamKind | None
    skill: Code | None
    department: Code
    first_response_hours: Hours
    resolution_hours: Hours
    form: Annotated[list[FormField], Field(max_length=30)]
    keywords: Annotated[list[Annotated[ShortText, Field(min_length=2)]], Field(min_length=1, max_length=200)]
    emergency: LocalisedText | None
    followable: Annotated[
        bool, Field(description="everybody's matter: who asks for it is shown that others did, and may follow them")
    ] = False
    sensitive: Annotated[
        bool, Field(description="text messages and the lines of an inbox leave out what was asked for")
    ] = False
    accept_within_minutes: Annotated[
        int | None,
        Field(ge=1, le=240, description="of an item of danger, whose limits run on the clock: who is on call accepts"),
    ] = None
    shared_danger: Annotated[
        bool, Field(description="its danger is one for all around it: neighbours who report it are one incident")
    ] = False
    danger_answers: Annotated[
        list[Code],
        Field(max_length=10, default_factory=list, description=DANGER_ANSWERS),
    ]


async def _whole_city(ctx: Context, _: Item, __: Any) -> None:
    """The catalogue is the whole city's."""
    expect_citywide(ctx.actor)


@usecase(allow=Role.ADMINISTRATOR, within=_whole_city)
async def publish_item(ctx: Context, code: str, cmd: PublishItem) -> Item:
    """Offer a service item as described, for the first time or again."""
    async with ctx.store.change_or_create(Item, code) as item:
        if cmd.code != code:
            raise model.ItemUnfit(problem={"key": "other-code", "code": cmd.code, "address": code})
        model.publish(item, _published(cmd))
    return item


@changes(Item, by="code", allow=Role.ADMINISTRATOR, within=_whole_city)
async def withdraw_item(ctx: Context, item: Item) -> None:
    """Offer a service item no longer; what was asked for before is still done."""
    model.withdraw(item)


def _published(cmd: PublishItem) -> ItemPublished:
    return ItemPublished(
        system=cmd.system,
        group=cmd.group.words(),
        name=cmd.name.words(),
        mode=cmd.mode,
        tiers=[*cmd.tiers],
        department=cmd.department,
        first_response_hours=cmd.first_response_hours,
        resolution_hours=cmd.resolution_hours,
        general=cmd.general,
        team_kind=cmd.team_kind,
        skill=cmd.skill,
        eligibility=cmd.eligibility.words(),
        materials=[text.words() for text in cmd.materials],
        steps=[text.words() for text in cmd.steps],
        form=[field.as_event() for field in cmd.form],
        keywords=cmd.keywords,
        emergency=cmd.emergency and cmd.emergency.words(),
        followable=cmd.followable,
        sensitive=cmd.sensitive,
        accept_within_minutes=cmd.accept_within_minutes,
        shared_danger=cmd.shared_danger,
        danger_answers=cmd.danger_answers,
    )
