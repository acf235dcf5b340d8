"""Who works in a seeded city: for each place the few accounts that its work needs. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.cities.shapes import Area, City
from deploy.cities.spread import Office, Team


@dataclass(frozen=True)
class Staff:
    """An account; ``serves`` and ``leads`` are natural keys of organisations and teams."""

    login: str
    name: str
    roles: tuple[str, ...]
    places: tuple[str, ...]
    serves: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()


def staff(city: City, offices: Sequence[Office], teams: Sequence[Team]) -> list[Staff]:
    """City, counties, sub-districts: those who answer the hotline, supervise, dispatch, handle and lead."""
    return [
        *(one for area in _of(city, "city") for one in _city(area, offices)),
        *(one for area in _of(city, "county") for one in _county(area, offices)),
        *(one for area in _of(city, "sub_district") for one in _street(area, offices, teams)),
    ]


def _of(city: City, level: str) -> list[Area]:
    return [area for area in city.areas if area.level == level]


def _city(area: Area, offices: Sequence[Office]) -> Iterator[Staff]:
    name, places = area.name.zh, (area.code,)
    own = tuple(office.key for office in offices if office.area == area)
    yield Staff("administrator", f"{name}系统管理员", ("administrator",), places)
    yield Staff("supervisor", f"{name}督办员", ("supervisor",), places, own, own)
    yield Staff("operator", f"{name}热线话务员", ("operator",), places, own)


def _county(area: Area, offices: Sequence[Office]) -> Iterator[Staff]:
    name, places = area.name.zh, (area.code,)
    own = [office for office in offices if office.area == area]
    supervision = tuple(office.key for office in own if office.department is None)
    departments = tuple(office.key for office in own if office.department is not None)
    yield Staff(f"supervisor-{area.code}", f"{name}督办员", ("supervisor",), places, supervision, supervision)
    # The account that handles for the departments also handles cases that were returned twice and are with the
    # supervision.
    handled = (*departments, *supervision)
    yield Staff(f"departments-{area.code}", f"{name}部门经办人", ("handler",), places, handled, departments)


def _street(area: Area, offices: Sequence[Office], teams: Sequence[Team]) -> Iterator[Staff]:
    name, places = area.name.zh, (area.code,)
    own = tuple(office.key for office in offices if office.area.code.startswith(area.code))
    led = tuple(team.key for team in teams if team.area.code.startswith(area.code))
    yield Staff(f"street-{area.code}", f"{name}派单员", ("dispatcher",), places)
    yield Staff(f"stations-{area.code}", f"{name}经办人", ("handler",), places, own, own)
    yield Staff(f"teams-{area.code}", f"{name}志愿服务队队长", ("handler",), places, led, led)
