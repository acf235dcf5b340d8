"""Items: what contradicts itself is not offered, and which answers a form takes."""

from typing import Any

import pytest

from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.scope import ALL, NOBODY
from services.chassis.runtime.texts import load
from services.contracts.requests.catalogue import ItemPublished, ItemWithdrawn
from services.requests.catalogue import model
from services.requests.catalogue.model import Item
from services.requests.providers.model import expect_citywide
from tests.requests.town import ADMINISTRATOR, CITY, COUNTY, HOME, field, staff

BOTH = {"zh": "事项", "en": "Item"}
TEXTS = load(("services.contracts", "services.requests"))


def result(**more: Any) -> ItemPublished:
    return ItemPublished.model_validate(
        {
            "system": "health",
            "group": {"zh": "公共卫生", "en": "Public health"},
            "name": {"zh": "家庭医生", "en": "Family doctor"},
            "mode": "free",
            "tiers": ["station", "team"],
            "department": "health",
            "first_response_hours": 4,
            "resolution_hours": 24,
            "general": True,
            "team_kind": "elderly",
            "skill": "care",
            "eligibility": BOTH,
            "materials": [BOTH],
            "steps": [BOTH],
            "form": [field("age", "number")],
            "keywords": ["医生"],
            "emergency": BOTH,
            **more,
        }
    )


def offered(**more: Any) -> Item:
    item = Item.blank("DOCTOR")
    model.publish(item, result(**more))
    item.version = 1
    return item


def refusal(call: Any, *given: Any) -> tuple[str, dict[str, Any], Kind]:
    with pytest.raises(Refusal) as refused:
        call(*given)
    return refused.value.code(), refused.value.params, refused.value.kind


def test_an_item_is_what_was_published_of_it_until_it_is_withdrawn() -> None:
    item, published = offered(), result()
    expected = published.model_dump() | {"offered": True}
    assert item.as_stored() == expected
    model.withdraw(item)
    assert item.fresh == [published, ItemWithdrawn()]
    assert item.as_stored() == expected | {"offered": False}
    assert refusal(model.withdraw, item) == ("item-already-withdrawn", {"item": "DOCTOR"}, Kind.STATE)


def test_the_same_item_again_is_no_change_unless_it_was_withdrawn() -> None:
    item = offered()
    model.publish(item, result())
    assert len(item.fresh) == 1
    model.publish(item, result(keywords=["大夫"]))
    model.withdraw(item)
    model.publish(item, result(keywords=["大夫"]))
    assert [type(event).__name__ for event in item.fresh] == [
        "ItemPublished",
        "ItemPublished",
        "ItemWithdrawn",
        "ItemPublished",
    ]


CHOICE = {"key": "a", **BOTH}
_NO_SKILL = {"key": "team-without-skill"}
CONTRADICTIONS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"first_response_hours": 25}, {"key": "first-response-too-long"}),
    ({"tiers": ["station", "team", "station"]}, {"key": "tier-twice"}),
    ({"tiers": ["station"]}, _NO_SKILL),
    ({"skill": None, "team_kind": None}, _NO_SKILL),
    ({"tiers": ["station"], "skill": None}, _NO_SKILL),
    ({"form": [field("age", "number"), field("age", "text")]}, {"key": "field-twice", "field": "age"}),
    ({"form": [field("age", "number", "1")]}, {"key": "values-unfit", "field": "age"}),
    ({"form": [field("when", "single")]}, {"key": "values-unfit", "field": "when"}),
    ({"form": [field("when", "multi")]}, {"key": "values-unfit", "field": "when"}),
]


@pytest.mark.parametrize(("wrong", "problem"), CONTRADICTIONS)
def test_an_item_that_contradicts_itself_is_reported_where(wrong: dict[str, Any], problem: dict[str, str]) -> None:
    for language in TEXTS.languages:
        assert TEXTS.fill("item-problems", problem["key"], language, problem) in TEXTS.sentence(
            model.ItemUnfit(problem=problem), language
        )
    expected = ("item-unfit", {"problem": problem}, Kind.INVALID)
    assert refusal(model.publish, Item.blank("X"), result(**wrong)) == expected


@pytest.mark.parametrize(
    "right",
    [
        {"first_response_hours": 24},
        {"tiers": ["station"], "skill": None, "team_kind": None},
        {"team_kind": None},
        {"form": [field("when", "single", "day"), field("which", "multi", "day")]},
        {"form": []},
    ],
)
def test_what_does_not_contradict_itself_is_offered(right: dict[str, Any]) -> None:
    assert offered(**right).offered


def test_only_the_administrators_of_the_whole_city_change_the_catalogue() -> None:
    expect_citywide(ADMINISTRATOR)
    expect_citywide(staff("administrator", COUNTY, CITY))
    for places in ((), (COUNTY,), (HOME,)):
        actor = staff("administrator", *places)
        assert refusal(expect_citywide, actor) == ("citywide-only", {}, Kind.FORBIDDEN)


def test_everybody_may_see_what_is_offered() -> None:
    assert Item.visible(NOBODY) == ALL
    assert model.ItemUnknown.kind is Kind.INVALID


ASKED = field("danger", "single", "no", "possible", "yes")
_UNASKED = {"key": "danger-unasked"}


def test_of_an_item_of_danger_these_answers_make_a_case_one() -> None:
    always, asked = (
        offered(accept_within_minutes=15),
        offered(accept_within_minutes=10, form=[ASKED], danger_answers=["possible", "yes"]),
    )
    assert [model.minutes_to_accept(always, {"danger": "no"}), model.minutes_to_accept(always, {})] == [15, 15]
    assert [model.minutes_to_accept(asked, {"danger": answer}) for answer in ("no", "possible", "yes")] == [
        None,
        10,
        10,
    ]
    assert [model.minutes_to_accept(asked, {}), model.minutes_to_accept(offered(), {"danger": "yes"})] == [None, None]


@pytest.mark.parametrize(
    "wrong",
    [
        {"danger_answers": ["yes"], "form": [ASKED]},
        {"danger_answers": ["yes"], "accept_within_minutes": 10},
        {"danger_answers": ["yes", "maybe"], "accept_within_minutes": 10, "form": [ASKED]},
        {"danger_answers": ["yes"], "accept_within_minutes": 10, "form": [field("danger", "multi", "yes")]},
    ],
)
def test_answers_that_nobody_can_give_make_no_danger(wrong: dict[str, Any]) -> None:
    assert refusal(model.publish, Item.blank("X"), result(**wrong)) == (
        "item-unfit",
        {"problem": _UNASKED},
        Kind.INVALID,
    )
