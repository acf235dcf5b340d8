"""A list is declared once: a wrong name is refused at once, and the indexes follow from the declaration."""

from typing import Annotated, Any

import pytest

from services.chassis.domain.paging import PageQuery
from services.chassis.domain.scope import Actor
from services.chassis.storage import listings, plans
from services.chassis.storage.filters import AtLeast, FilterKind, Filters, Has, Is, Matching, Since, Within
from services.contracts.members.areas import path
from services.members.areas.model import Area
from services.members.areas.queries import AREAS
from services.members.teams.model import Team
from services.members.teams.queries import TEAMS
from services.requests.cases.dispatch.model import TeamLoad
from services.requests.cases.model import Case
from services.requests.cases.queries import CASES

DISPATCHER = Actor("x", frozenset({"dispatcher"}), ("150702",))


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is declared here is no list of any service."""
    monkeypatch.setattr(listings, "LISTINGS", {})


@pytest.mark.parametrize(
    ("kind", "filter"),
    [
        (Team, Is("colour")),
        (Team, Has("members")),
        (TeamLoad, Matching()),
        (Case, Matching("filed")),
        (Case, Since("filed")),
        (Case, AtLeast("urgings")),
        (Team, Is("area.zh")),
    ],
)
def test_a_filter_of_a_field_that_is_not_there_is_refused_when_it_is_declared(
    kind: type[Any], filter: FilterKind
) -> None:
    query = type("Wrong", (PageQuery,), {"__annotations__": {"x": Annotated[str | None, filter]}, "x": None})
    with pytest.raises(TypeError):
        listings.Listing(kind, query)


def test_leads_orders_and_counts_of_what_is_not_there_are_refused_too() -> None:
    for wrong in ({"leads": ("undr",)}, {"order": "-filed"}, {"counts": ("item",)}, {"only": {"offered": True}}):
        with pytest.raises(TypeError):
            listings.Listing(Area, PageQuery, **wrong)


def test_indexes_follow_from_the_filters() -> None:
    assert ["_".join(name for name, _ in index.keys) for index in AREAS.indexes()] == [
        "state.level__id",
        "under__id",
        "under_state.level__id",
        "terms__id",
    ]
    teams = ["_".join(name for name, _ in index.keys) for index in TEAMS.indexes()]
    assert "terms_state.kind_state.on_duty__id" in teams


def test_every_index_of_a_plan_is_declared_and_has_one_list_at_most() -> None:
    for listing in (AREAS, TEAMS, CASES):
        for index in listing.indexes():
            assert len({"under", "terms", "state.skills"} & {name for name, _ in index.keys}) <= 1


def test_what_is_visible_by_a_field_that_leads_no_index_is_a_mistake_in_the_declaration() -> None:
    filters = Filters.of(Case, PageQuery, (), (), {})
    with pytest.raises(LookupError):
        plans.branches(filters, Case.visible(DISPATCHER), filters.asked(PageQuery()))


def test_of_two_places_of_which_one_holds_the_other_the_smaller_is_read() -> None:
    class Places(PageQuery):
        """By place."""

        area: Annotated[str | None, Within(path)] = None

    filters = Filters.of(Case, Places, ("under",), (), {})
    for asked, read in (("150702", "150702"), ("1507", "150702"), ("150721", None)):
        found = plans.branches(filters, Case.visible(DISPATCHER), filters.asked(Places(area=asked)))
        assert [branch.where for branch in found] == ([{"under": read}] if read else [])
