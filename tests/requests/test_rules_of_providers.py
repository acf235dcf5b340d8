"""Copies of places, organisations and teams: what members' events make of them, and who answers for a place."""

from typing import Any

import pytest

from services.chassis.domain.events import Event
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.words import Words
from services.contracts.members.areas import AreaAdded, AreaBounded, AreaClosed, AreaRenamed
from services.contracts.members.organisations import LeaderAppointed, OrganisationFounded
from services.contracts.members.teams import (
    TeamFounded,
    TeamLeaderAppointed,
    TeamMemberJoined,
    TeamMemberLeft,
    TeamWentOffDuty,
    TeamWentOnDuty,
)
from services.requests.cases.dispatch.model import TeamLoad
from services.requests.cases.model import Case
from services.requests.catalogue.model import Item
from services.requests.providers import model
from services.requests.providers.model import AreaCopy, Organisation, Team, escalation_path, fileable
from tests.requests.test_life_of_a_case import OFFICES, known
from tests.requests.town import (
    BARE,
    CENTRE,
    CITY,
    CITY_OFFICE,
    COUNTY,
    COUNTY_OFFICE,
    GRID,
    HOME,
    STREET,
)

LEVELS = {CITY: "city", COUNTY: "county", STREET: "sub_district", HOME: "community", GRID: "grid"}


def place(code: str, *, closed: bool = False) -> AreaCopy:
    copy = AreaCopy.blank(code)
    copy.apply(AreaAdded(level=LEVELS[code], name=Words.named("正阳", "Zhengyang")))
    if closed:
        copy.apply(AreaClosed(reason="merged"))
    return copy


def way(code: str, closed: str = "") -> list[AreaCopy]:
    return [place(one, closed=one == closed) for one in LEVELS if code.startswith(one)]


def office(id: str, kind: str, area: str) -> Organisation:
    copy = Organisation.blank(id)
    copy.apply(OrganisationFounded(kind=kind, name=Words.named(id), area=area))
    return copy


def test_a_copy_of_an_area_is_what_members_tells() -> None:
    copy = place(HOME)
    expected = {"gone": False, "level": "community", "name": {"zh": "正阳", "en": "Zhengyang"}, "open": True}
    expected |= {"bounds": None, "successor": None}
    assert copy.as_stored() == expected
    copy.apply(AreaRenamed(name=Words.named("东山")))
    box = {"south": 49.0, "west": 119.0, "north": 50.0, "east": 120.0}
    copy.apply(AreaBounded.model_validate(box))
    copy.apply(AreaClosed(reason="merged", successor=BARE))
    closed = {"name": {"zh": "东山", "en": "东山"}, "open": False, "bounds": box, "successor": BARE}
    assert copy.as_stored() == expected | closed
    assert copy.places() == (CITY, COUNTY, STREET, HOME)


def test_a_copy_of_an_organisation_is_what_members_tells() -> None:
    event = OrganisationFounded(
        kind="department", name=Words.named("局", "Office"), area=COUNTY, above=CITY_OFFICE, department="health"
    )
    copy = Organisation.blank("organisation_1")
    copy.apply(event)
    expected = {**event.model_dump(exclude={"code"}), "gone": False, "leader_id": None}
    assert copy.as_stored() == expected
    copy.apply(LeaderAppointed(leader_id="person_1"))
    assert copy.as_stored() == expected | {"leader_id": "person_1"}
    bare = Organisation(id="organisation_2", kind="station", name=Words.named("站"), area=HOME)
    assert [bare.above, bare.department, bare.leader_id] == [None] * 3


def test_a_copy_of_a_team_is_what_members_tells() -> None:
    event = TeamFounded(
        kind="women", name=Words.named("队", "Team"), area=STREET, skills=["patrol"], capacity=3, leader_id="person_1"
    )
    copy = Team.blank("team_1")
    copy.apply(event)
    expected = {**event.model_dump(exclude={"code"}), "gone": False, "on_duty": False, "members": []}
    assert copy.as_stored() == expected
    copy.apply(TeamLeaderAppointed(leader_id="person_2"))
    copy.apply(TeamWentOnDuty())
    copy.apply(TeamMemberJoined(person_id="person_3"))
    assert copy.as_stored() == expected | {"leader_id": "person_2", "on_duty": True, "members": ["person_3"]}
    copy.apply(TeamMemberLeft(person_id="person_3"))
    assert copy.members == []
    copy.apply(TeamWentOffDuty())
    assert not copy.on_duty
    bare = Team(id="team_2", kind="women", name=Words.named("队"), area=STREET, skills=[], capacity=1)
    assert bare.leader_id is None


@pytest.mark.parametrize(
    ("kind", "skill", "fits"),
    [
        (None, None, True),
        ("women", "patrol", True),
        ("women", None, True),
        (None, "patrol", True),
        ("elderly", "patrol", False),
        ("women", "plumbing", False),
        ("elderly", None, False),
        (None, "plumbing", False),
    ],
)
def test_a_team_fits_in_kind_and_skill_as_far_as_they_are_asked_for(
    kind: str | None, skill: str | None, *, fits: bool
) -> None:
    team = Team(
        id="team_1", kind="women", name=Words.named("队"), area=STREET, skills=["first_aid", "patrol"], capacity=1
    )
    assert team.fits(kind, skill) == fits


@pytest.mark.parametrize("code", [HOME, GRID])
def test_a_request_is_for_a_community_or_a_grid_of_one(code: str) -> None:
    assert fileable(code, way(code)).id == code


def refusal(code: str, known: list[AreaCopy]) -> tuple[str, dict[str, Any], Kind]:
    with pytest.raises(Refusal) as refused:
        fileable(code, known)
    return refused.value.code(), refused.value.params, refused.value.kind


def test_a_request_is_not_for_a_place_that_is_unknown_wider_or_closed() -> None:
    assert refusal(HOME, way(STREET)) == ("area-unknown", {"area": HOME}, Kind.INVALID)
    for code in (CITY, COUNTY, STREET):
        assert refusal(code, way(code)) == ("area-too-wide", {"area": code}, Kind.INVALID)
    for closed in (CITY, STREET, HOME):
        assert refusal(HOME, way(HOME, closed)) == ("area-closed", {"area": closed}, Kind.INVALID)


def test_the_path_goes_from_the_centre_over_the_county_to_the_city() -> None:
    levels = [(level.place, level.office and level.office.id) for level in escalation_path(GRID, (), OFFICES)]
    assert levels == [(STREET, CENTRE), (COUNTY, COUNTY_OFFICE), (CITY, CITY_OFFICE)]


def test_who_was_named_above_comes_before_who_is_known_and_who_is_gone_answers_for_nothing() -> None:
    named, gone = office("organisation_named", "supervision", COUNTY), office("organisation_gone", "centre", STREET)
    gone.gone = True
    levels = escalation_path(HOME, [gone, named], [known(COUNTY_OFFICE)])
    assert [level.office and level.office.id for level in levels] == [None, "organisation_named", None]


def test_in_the_city_the_hotline_answers_where_nobody_supervises_and_elsewhere_it_does_not() -> None:
    hotlines = [office("hotline_city", "hotline", CITY), office("hotline_county", "hotline", COUNTY)]
    levels = escalation_path(HOME, (), hotlines)
    assert [level.office and level.office.id for level in levels] == [None, None, "hotline_city"]
    both = escalation_path(HOME, (), [*hotlines, known(CITY_OFFICE)])
    assert both[-1].office == known(CITY_OFFICE)


def test_what_requests_has_is_kept_where_it_always_was() -> None:
    copies = ["copies_area", "copies_organisation", "copies_team"]
    assert [kind.collection() for kind in (AreaCopy, Organisation, Team)] == copies
    assert [kind.collection() for kind in (Case, Item, TeamLoad)] == ["cases", "items", "loads"]


def test_copies_hear_of_their_beginning_and_of_what_follows() -> None:
    assert [copy.creates for copy in (AreaCopy, Organisation, Team)] == [
        (AreaAdded,),
        (OrganisationFounded,),
        (TeamFounded,),
    ]
    heard = {*AreaCopy.events.values(), *Organisation.events.values()}
    assert heard == {AreaAdded, AreaRenamed, AreaBounded, AreaClosed, OrganisationFounded, LeaderAppointed}
    changes: set[type[Event]] = {TeamLeaderAppointed, TeamMemberJoined, TeamMemberLeft, TeamWentOnDuty, TeamWentOffDuty}
    assert {*Team.events.values()} == {TeamFounded, *changes}
    assert model.AreaUnknown.kind is Kind.INVALID


def test_a_position_lies_in_the_box_of_every_area_above_that_has_one() -> None:
    known = way(HOME)
    model.expect_within(known, 48.85, 2.35)  # where no box is known, everything may be right
    known[1].apply(AreaBounded(south=48.9, west=119.2, north=49.7, east=120.9))
    for latitude, longitude in ((49.2, 119.8), (48.9, 119.2), (49.7, 120.9)):
        model.expect_within(known, latitude, longitude)
    for latitude, longitude in ((0.0, 0.0), (48.85, 2.35), (39.9, 116.4), (49.2, 121.0), (119.8, 49.2)):
        with pytest.raises(model.PositionElsewhere):
            model.expect_within(known, latitude, longitude)


def test_a_closed_area_names_the_one_that_took_its_place() -> None:
    known = way(HOME)
    known[-1].apply(AreaClosed(reason="merged", successor=BARE))
    with pytest.raises(model.AreaReplaced) as refused:
        fileable(HOME, known)
    assert refused.value.params == {"area": HOME, "successor": BARE}
