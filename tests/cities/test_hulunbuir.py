"""What Hulunbuir's data promises: its counts, its names, and that every entry finds the others."""

from collections import Counter
from pathlib import Path

import pytest

from deploy.cities.load import load
from deploy.cities.shapes import City
from deploy.cities.spread import offices, place, teams
from services.contracts.requests.catalogue import DANGER

FOLDER = Path(__file__).parents[2] / "deploy/cities/hulunbuir"


@pytest.fixture(scope="module")
def city() -> City:
    return load(FOLDER)


def test_the_city_has_the_areas_of_the_statistics_office(city: City) -> None:
    assert Counter(area.level for area in city.areas) == {
        "city": 1,
        "county": 14,
        "sub_district": 158,
        "community": 1273,
    }


def test_the_parent_of_every_area_is_the_prefix_of_its_code(city: City) -> None:
    levels = {area.code: area.level for area in city.areas}
    above = {"county": "city", "sub_district": "county", "community": "sub_district"}
    assert all(area.parent is None or levels[area.parent] == above[area.level] for area in city.areas)


def test_counties_have_english_names(city: City) -> None:
    assert all(area.name.en for area in city.areas if area.level in ("city", "county"))


def test_the_catalogue_has_four_systems_over_a_hundred_items_and_a_general_one_each(city: City) -> None:
    items = [item for item in city.catalogue.items if item.active]
    assert {item.system for item in items} == {"health", "labour", "culture", "governance"}
    assert len(items) >= 110
    assert Counter(item.system for item in items if item.general) == dict.fromkeys(Counter(i.system for i in items), 1)


def test_the_five_functions_of_governance_are_in_the_catalogue(city: City) -> None:
    groups = {item.group.zh for item in city.catalogue.items if item.system == "governance"}
    assert {"社会治安", "矛盾调解", "帮教服务", "消防安全", "法律服务"} <= groups


def test_a_group_has_one_english_name(city: City) -> None:
    groups = {(item.group.zh, item.group.en) for item in city.catalogue.items}
    assert len(groups) == len({zh for zh, _ in groups})


def test_most_items_of_danger_ask_whether_there_is_some_and_all_say_whom_to_ring(city: City) -> None:
    danger = {item.code: item for item in city.catalogue.items if item.accept_within_minutes is not None}
    assert danger.keys() >= {"GOV-GAS-LEAK", "GOV-FIRE", "GOV-ELEVATOR", "GOV-MISSING", "GOV-DOMESTIC", "HEA-MENTAL"}
    assert [code for code, item in danger.items() if item.emergency is None] == []
    assert [code for code, item in danger.items() if not item.danger_answers] == ["GOV-MISSING"]
    asked = {code: field for code, item in danger.items() for field in item.form if field.code == DANGER}
    assert danger.keys() - asked.keys() == {"GOV-MISSING"}
    assert [code for code, field in asked.items() if not field.required] == [], "an answer left out is no"
    personal = {"GOV-DOMESTIC", "HEA-MENTAL", "GOV-CRIME", "GOV-MISSING", "GOV-ACCIDENT", "GOV-DOG"}
    assert personal.isdisjoint(code for code, item in danger.items() if item.shared_danger)


def test_what_is_dangerous_says_whom_to_call_at_once(city: City) -> None:
    urgent = {item.code: item.emergency for item in city.catalogue.items}
    for code in ("GOV-GAS-LEAK", "GOV-FIRE", "GOV-ORDER", "GOV-DOMESTIC", "GOV-MISSING", "GOV-ACCIDENT"):
        said = urgent[code]
        assert said is not None
        assert "1" in said.zh


def test_limits_are_those_of_practice(city: City) -> None:
    assert {item.resolution_hours for item in city.catalogue.items} == {24, 56, 120}
    assert {item.first_response_hours for item in city.catalogue.items} == {2, 4, 8}


def test_every_team_kind_and_every_skill_is_asked_for(city: City) -> None:
    assert {item.team_kind for item in city.catalogue.items} >= {kind.code for kind in city.teams.kinds}
    assert {item.skill for item in city.catalogue.items} - {None} == {skill.code for skill in city.catalogue.skills}


def test_every_area_has_its_office_and_every_office_one_above_it(city: City) -> None:
    keys: set[str] = set()
    for office in offices(city):
        assert office.above in keys if office.above else office.kind.level == "city"
        keys.add(office.key)
    wanted = {f"{area.code}:station" for area in city.areas if area.level == "community"}
    wanted |= {f"{area.code}:centre" for area in city.areas if area.level == "sub_district"}
    assert wanted <= keys


def test_every_item_finds_its_department_in_every_county(city: City) -> None:
    keys = {office.key for office in offices(city)}
    counties = [area.code for area in city.areas if area.level == "county"]
    assert all(f"{county}:{item.department}" in keys for county in counties for item in city.catalogue.items)


def test_over_a_thousand_teams_of_all_five_kinds_serve_every_sub_district(city: City) -> None:
    found = list(teams(city))
    assert len(found) >= 1000
    assert len({team.key for team in found}) == len(found)
    assert {team.area.code for team in found} == {area.code for area in city.areas if area.level == "community"}
    served = {(team.area.parent, team.kind.code) for team in found}
    assert len(served) == 5 * 158


def test_spreading_twice_gives_the_same(city: City) -> None:
    assert list(teams(city)) == list(teams(city))
    assert list(offices(city)) == list(offices(city))


def test_a_place_is_called_as_people_call_it(city: City) -> None:
    names = {area.code: place(city, area).zh for area in city.areas}
    assert names["150702001001"] == "天润社区"
    assert not [name for name in names.values() if name.endswith("委会") or "社区社区" in name]


def test_no_pattern_is_left_unfilled(city: City) -> None:
    names = [one.name for one in offices(city)] + [one.name for one in teams(city)]
    assert not [name for name in names if "{" in name.zh + name.en or "  " in name.en]
