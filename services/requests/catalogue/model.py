"""A service item: who may ask for it, what it takes, who does it in which order, by when, and its form."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, assert_never

from pydantic import Field

from services.chassis.domain.entity import Entity, Index, Terms
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, Actor, Visible
from services.chassis.domain.words import Words
from services.contracts.requests.catalogue import (
    DANGER,
    FieldKind,
    FormField,
    ItemPublished,
    ItemWithdrawn,
    Mode,
    System,
    Tier,
)
from services.requests.forms import model as forms

ItemEvent = ItemPublished | ItemWithdrawn


class ItemUnknown(Refusal):
    kind = Kind.INVALID


class ItemAlreadyWithdrawn(Refusal):
    kind = Kind.STATE


class ItemUnfit(Refusal):
    kind = Kind.INVALID


class Item(Entity[ItemEvent]):
    """A service that is offered until it is withdrawn; its code is its id. Limits are in working hours."""

    entity_type: ClassVar[str] = "item"
    indexes: ClassVar[tuple[Index, ...]] = (Index(("version",)),)
    terms: ClassVar[Terms] = Terms(text=("id", "name", "keywords"))

    offered: bool
    system: System | str
    group: Words
    name: Words
    mode: Mode | str
    tiers: list[Tier | str]
    department: str
    first_response_hours: float
    resolution_hours: float
    general: bool
    team_kind: str | None = None
    skill: str | None = None
    eligibility: Words | None = None
    materials: list[Words]
    steps: list[Words]
    form: list[FormField]
    keywords: list[str]
    emergency: Words | None = None
    followable: bool = False
    """Whether it is everybody's matter: a lamp in the street, and no vaccination."""
    sensitive: bool = False
    """Whether nobody who looks at somebody's phone is to read that they asked for it."""
    accept_within_minutes: int | None = None
    """Of an item of danger: it runs on the clock, and within these minutes somebody on call accepts it."""
    shared_danger: bool = False
    """Whether its danger is one for all around it: neighbours who report it are one incident."""
    danger_answers: list[str] = Field([])
    """The answers to the question `danger` that make a case one of danger; every case is where there are none."""

    def apply(self, event: ItemEvent) -> None:
        """Fold an event into the state."""
        match event:
            case ItemPublished():
                self._published(event)
            case ItemWithdrawn():
                self.offered = False
            case _:
                assert_never(event)

    def _published(self, event: ItemPublished) -> None:
        self.offered, self.general = True, event.general
        self.system, self.department = event.system, event.department
        self.group, self.name = event.group, event.name
        self.mode, self.tiers, self.team_kind, self.skill = event.mode, event.tiers, event.team_kind, event.skill
        self.first_response_hours, self.resolution_hours = event.first_response_hours, event.resolution_hours
        self.eligibility, self.emergency = event.eligibility, event.emergency
        self.materials, self.steps, self.form = event.materials, event.steps, event.form
        self.keywords, self.followable, self.sensitive = event.keywords, event.followable, event.sensitive
        self.accept_within_minutes, self.danger_answers = event.accept_within_minutes, event.danger_answers
        self.shared_danger = event.shared_danger

    @classmethod
    def visible(cls, actor: Actor) -> Visible:
        """Everybody may see what is offered."""
        return ALL


def publish(item: Item, description: ItemPublished) -> None:
    """Publish an item as described; ItemUnfit if it contradicts itself."""
    for problem in _contradictions(description):
        raise ItemUnfit(problem=problem)
    same = item.version > 0 and item.offered and _as_published(item) == description
    if not same:
        item.record(description)


def minutes_to_accept(item: Item, answers: Mapping[str, Any]) -> int | None:
    """Within how many minutes a case with these answers is to be accepted; None where it is not one of danger."""
    if item.danger_answers and answers.get(DANGER) not in item.danger_answers:
        return None
    return item.accept_within_minutes


def withdraw(item: Item) -> None:
    """Withdraw an item; open cases continue."""
    if not item.offered:
        raise ItemAlreadyWithdrawn(item=item.id)
    item.record(ItemWithdrawn())


def _as_published(item: Item) -> ItemPublished:
    return ItemPublished(
        system=item.system,
        group=item.group,
        name=item.name,
        mode=item.mode,
        tiers=item.tiers,
        department=item.department,
        first_response_hours=item.first_response_hours,
        resolution_hours=item.resolution_hours,
        general=item.general,
        team_kind=item.team_kind,
        skill=item.skill,
        eligibility=item.eligibility,
        materials=item.materials,
        steps=item.steps,
        form=item.form,
        keywords=item.keywords,
        emergency=item.emergency,
        followable=item.followable,
        sensitive=item.sensitive,
        accept_within_minutes=item.accept_within_minutes,
        shared_danger=item.shared_danger,
        danger_answers=item.danger_answers,
    )


def _contradictions(description: ItemPublished) -> Iterator[Mapping[str, Any]]:
    if description.first_response_hours > description.resolution_hours:
        yield {"key": "first-response-too-long"}
    if description.sensitive and description.followable:
        yield {"key": "sensitive-followed"}
    if description.shared_danger and (description.sensitive or description.accept_within_minutes is None):
        yield {"key": "danger-shared"}
    if len(set(description.tiers)) < len(description.tiers):
        yield {"key": "tier-twice"}
    if (Tier.TEAM in description.tiers) != (description.skill is not None) or (
        description.team_kind and not description.skill
    ):
        yield {"key": "team-without-skill"}
    if not _asks_danger(description):
        yield {"key": "danger-unasked"}
    yield from forms.contradictions(description.form)


def _asks_danger(description: ItemPublished) -> bool:
    """Whether the form offers the answers that make it danger; answers without a limit to accept make nothing."""
    if not description.danger_answers:
        return True
    asked = [field for field in description.form if field.code == DANGER and field.kind == FieldKind.SINGLE]
    offered = {value.key for field in asked for value in field.values}
    return description.accept_within_minutes is not None and offered.issuperset(description.danger_answers)
