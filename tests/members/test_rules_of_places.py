"""Areas and organisations: what their events make of them, and where each may be."""

import pytest

from services.chassis.domain.refusals import Kind, OutsideYourPlaces
from services.chassis.domain.scope import ALL, NOBODY, Actor, system_actor
from services.chassis.domain.words import Words
from services.chassis.guards import expect_in_charge
from services.contracts.members.areas import AreaAdded, AreaClosed, AreaClosure, AreaRenamed, Bounds, Level, path
from services.contracts.members.organisations import LeaderAppointed, OrganisationFounded, OrganisationKind
from services.members.areas import model as areas
from services.members.areas.model import Area, AreaAlreadyClosed, BoundsCrossed, CodeUnfit, SuccessorUnfit
from services.members.organisations import model as organisations
from services.members.organisations.model import AboveUnfit, AreaUnfit, DepartmentUnfit, Organisation
from tests.members.support import CITY, COMMUNITY, COUNTY, COUNTY_ADMINISTRATOR, FAR_COMMUNITY, FAR_STREET, STREET

GRID = f"{COMMUNITY}-03"
BY_LEVEL = {
    Level.CITY: CITY,
    Level.COUNTY: COUNTY,
    Level.SUB_DISTRICT: STREET,
    Level.COMMUNITY: COMMUNITY,
    Level.GRID: GRID,
}


NAME = Words.named("正阳社区", "Zhengyang")


def added(code: str = COMMUNITY, level: Level = Level.COMMUNITY) -> Area:
    area = Area.blank(code)
    areas.add(area, level, NAME)
    return area


@pytest.mark.parametrize("level", Level)
def test_an_area_is_added_with_a_code_of_its_level_only(level: Level) -> None:
    area = added(BY_LEVEL[level], level)
    fresh = {"open": True, "bounds": None, "successor": None}
    assert area.as_stored() == {"level": level, "name": NAME.model_dump(), **fresh}
    assert area.fresh == [AreaAdded(level=level, name=NAME)]
    for other in set(Level) - {level}:
        with pytest.raises(CodeUnfit) as refused:
            areas.add(Area.blank(BY_LEVEL[level]), other, NAME)
        assert refused.value.params == {"code": BY_LEVEL[level], "level": other}
        assert refused.value.kind is Kind.INVALID


def test_an_area_is_renamed_if_its_name_is_another_in_any_language() -> None:
    area = added()
    areas.rename(area, Words.named("正阳社区", "Zhengyang"))
    assert len(area.fresh) == 1, "the same names are no change"
    others = [Words.named("正阳社区"), Words.model_validate({"zh": "正阳社区", "mn": "Жэнян"})]
    for other in others:
        areas.rename(area, other)
    assert area.fresh[1:] == [AreaRenamed(name=other) for other in others]
    assert area.name == others[-1]


def test_a_closed_area_is_neither_renamed_nor_closed() -> None:
    area = added()
    areas.close(area, AreaClosure.MERGED)
    assert (area.open, area.fresh[1:]) == (False, [AreaClosed(reason="merged")])
    with pytest.raises(AreaAlreadyClosed) as closed:
        areas.close(area, AreaClosure.SPLIT)
    with pytest.raises(AreaAlreadyClosed) as renamed:
        areas.rename(area, Words.named("东山社区"))
    for refused in (closed, renamed):
        assert (refused.value.params, refused.value.kind) == ({"code": COMMUNITY}, Kind.STATE)


def test_an_area_lies_in_those_above_it_and_everybody_sees_it() -> None:
    assert Area.blank(GRID).places() == (CITY, COUNTY, STREET, COMMUNITY, GRID)
    assert Area.visible(NOBODY) == ALL
    assert [areas.above(code) for code in (GRID, COMMUNITY, COUNTY, CITY)] == [COMMUNITY, STREET, CITY, None]


def test_what_lies_in_none_of_the_own_places_is_outside() -> None:
    for actor, code in ((COUNTY_ADMINISTRATOR, COUNTY), (COUNTY_ADMINISTRATOR, GRID), (system_actor("timer"), CITY)):
        expect_in_charge(actor, path(code))
    for code in (CITY, FAR_COMMUNITY):
        with pytest.raises(OutsideYourPlaces) as refused:
            expect_in_charge(COUNTY_ADMINISTRATOR, path(code))
        assert (refused.value.params, refused.value.kind) == ({"code": code}, Kind.FORBIDDEN)


def test_what_is_not_there_or_closed_is_an_invalid_place() -> None:
    assert areas.AboveMissing.kind is areas.AreaNotOpen.kind is Kind.INVALID


FITTING = [
    (OrganisationKind.STATION, {COMMUNITY}),
    (OrganisationKind.CENTRE, {STREET}),
    (OrganisationKind.DEPARTMENT, {CITY, COUNTY}),
    (OrganisationKind.SUPERVISION, {CITY, COUNTY}),
    (OrganisationKind.HOTLINE, {CITY, COUNTY}),
]


def founding(kind: str, area: str, **more: str) -> OrganisationFounded:
    department = {"department": "health"} if kind == OrganisationKind.DEPARTMENT else {}
    return OrganisationFounded(kind=kind, name=Words.named("站"), area=area, **{**department, **more})


@pytest.mark.parametrize(("kind", "fitting"), FITTING)
def test_each_kind_of_organisation_belongs_to_its_levels_of_places(kind: OrganisationKind, fitting: set[str]) -> None:
    for area in BY_LEVEL.values():
        made = Organisation.blank("organisation_1")
        if area in fitting:
            organisations.found(made, founding(kind, area), None)
            assert made.fresh == [founding(kind, area)]
            continue
        with pytest.raises(AreaUnfit) as refused:
            organisations.found(made, founding(kind, area), None)
        assert (refused.value.params, refused.value.kind) == ({"kind": kind, "area": area}, Kind.INVALID)


def test_a_department_and_nobody_else_has_a_department_code() -> None:
    without = OrganisationFounded(kind="department", name=Words.named("局"), area=COUNTY)
    for wrong in (without, founding("station", COMMUNITY, department="health")):
        with pytest.raises(DepartmentUnfit) as refused:
            organisations.found(Organisation.blank("organisation_1"), wrong, None)
        assert refused.value.kind is Kind.INVALID


def test_the_one_above_is_known_and_in_charge_of_the_place() -> None:
    centre, far, station = (Organisation.blank(f"organisation_{name}") for name in ("centre", "far", "station"))
    organisations.found(centre, founding("centre", STREET), None)
    organisations.found(far, founding("centre", FAR_STREET), None)
    event = founding("station", COMMUNITY, above="organisation_centre")
    for wrong in (None, far):
        with pytest.raises(AboveUnfit) as refused:
            organisations.found(station, event, wrong)
        assert refused.value.params == {"above": "organisation_centre", "area": COMMUNITY}
        assert refused.value.kind is Kind.INVALID
    organisations.found(station, event, centre)
    assert station.above == "organisation_centre"


def test_an_organisation_is_what_its_events_say() -> None:
    made = Organisation.blank("organisation_1")
    event = OrganisationFounded(
        kind="department", name=Words.named("局", "Office"), area=COUNTY, department="health", code="hailar-health"
    )
    organisations.found(made, event, None)
    expected = event.model_dump() | {"leader_id": None}
    assert made.as_stored() == expected
    organisations.appoint(made, "person_1")
    organisations.appoint(made, "person_1")
    assert made.fresh[1:] == [LeaderAppointed(leader_id="person_1")]
    assert made.as_stored() == expected | {"leader_id": "person_1"}
    assert made.places() == (CITY, COUNTY)


def test_optional_words_of_an_organisation_may_be_missing() -> None:
    bare = Organisation(id="organisation_1", kind="station", name=NAME, area=COMMUNITY)
    assert [bare.above, bare.department, bare.code, bare.leader_id] == [None] * 4


def test_everybody_may_know_who_serves_them() -> None:
    assert Organisation.visible(Actor("account_1")) == ALL


def test_an_area_is_closed_in_favour_of_another_of_its_level() -> None:
    for successor in (COMMUNITY, COUNTY):
        with pytest.raises(SuccessorUnfit):
            areas.close(added(), AreaClosure.MERGED, successor)
    area, other = added(), f"{COMMUNITY[:-1]}9"
    areas.close(area, AreaClosure.MERGED, other)
    assert (area.open, area.successor) == (False, other)


def test_an_area_lies_in_a_box_whose_sides_are_not_swapped() -> None:
    area, box = added(), Bounds(south=48.9, west=119.2, north=49.7, east=120.9)
    for _ in range(2):
        areas.bound(area, box)
    assert (area.bounds, len(area.fresh)) == (box, 2)
    for wrong in ({"south": 50}, {"west": 121}):
        with pytest.raises(BoundsCrossed):
            areas.bound(area, box.model_copy(update=wrong))
