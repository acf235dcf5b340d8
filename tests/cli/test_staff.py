"""Every place of a city has the accounts that its work needs."""

from pathlib import Path

from deploy.cities.load import load
from deploy.cities.spread import offices, teams
from deploy.cli.seeding.staff import staff

CITY = load(Path(__file__).resolve().parents[2] / "deploy" / "cities" / "hulunbuir")
OFFICES, TEAMS = list(offices(CITY)), list(teams(CITY))
STAFF = staff(CITY, OFFICES, TEAMS)


def test_there_is_somebody_for_each_role() -> None:
    roles = {role for one in STAFF for role in one.roles}
    assert roles == {"operator", "handler", "dispatcher", "supervisor", "administrator"}


def test_every_organisation_and_team_is_served_by_somebody_of_its_place() -> None:
    served = {key: one for one in STAFF for key in one.serves}
    places = {**{office.key: office.area.code for office in OFFICES}, **{team.key: team.area.code for team in TEAMS}}
    assert served.keys() == places.keys()
    assert all(any(places[key].startswith(place) for place in one.places) for key, one in served.items())


def test_every_organisation_and_team_is_led_by_one() -> None:
    led = [key for one in STAFF for key in one.leads]
    assert sorted(led) == sorted([office.key for office in OFFICES] + [team.key for team in TEAMS])


def test_nobody_works_on_what_they_give_out() -> None:
    assert [one.login for one in STAFF if {"dispatcher", "handler"} <= set(one.roles)] == []


def test_no_two_have_the_same_login() -> None:
    assert len({one.login for one in STAFF}) == len(STAFF)
