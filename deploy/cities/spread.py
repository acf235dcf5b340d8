"""Derives organisations and volunteer teams from a city's areas by its rules; the same at every run."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from deploy.cities.checks import CODE_LENGTHS
from deploy.cities.shapes import Area, City, Named, OrganisationKind, TeamKindRule, Words


class Office(NamedTuple):
    """A planned organisation; `key` and `above` are natural keys, `<area>:<kind>` or `<county>:<department>`."""

    key: str
    kind: OrganisationKind
    department: str | None
    area: Area
    name: Words
    above: str | None


class Team(NamedTuple):
    """A planned volunteer team; `key` is its natural key, `<community>:<kind>`."""

    key: str
    kind: TeamKindRule
    area: Area
    name: Words


def offices(city: City) -> Iterator[Office]:
    """Every organisation, those above before those below."""
    levels = {kind.code: kind.level for kind in city.organisations.kinds}
    names = {area.code: place(city, area) for area in city.areas}
    for kind in city.organisations.kinds:
        for area in (area for area in city.areas if area.level == kind.level):
            above = f"{area.code[: CODE_LENGTHS[levels[kind.above]]]}:{kind.above}" if kind.above else None
            for department in _departments(city, kind):
                code = department.code if department else None
                name = _filled(kind.name, area, names, department.name if department else None)
                yield Office(f"{area.code}:{code or kind.code}", kind, code, area, name, above)


def teams(city: City) -> Iterator[Team]:
    """Kinds in rotation over each sub-district's communities: never two teams of one kind in a community."""
    communities: dict[str | None, list[Area]] = defaultdict(list)
    for area in city.areas:
        if area.level == "community":
            communities[area.parent].append(area)
    names = {area.code: place(city, area) for area in city.areas}
    kinds = city.teams.kinds
    for own in communities.values():
        for number in range(max(len(own), len(kinds))):
            area, kind = own[number % len(own)], kinds[number % len(kinds)]
            yield Team(f"{area.code}:{kind.code}", kind, area, _filled(city.teams.name, area, names, kind.name))


def place(city: City, area: Area) -> Words:
    """The common name of a place: the community, not its committee; in Chinese if it has no English name."""
    zh = area.name.zh
    for ending in city.organisations.place_endings:
        if zh.endswith(ending.ends):
            zh = zh.removesuffix(ending.ends) + ending.becomes
            break
    return Words(zh=zh, en=area.name.en or zh)


def _departments(city: City, kind: OrganisationKind) -> tuple[Named | None, ...]:
    return city.organisations.departments if "{what}" in kind.name.zh else (None,)


def _filled(pattern: Words, area: Area, names: dict[str, Words], what: Words | None) -> Words:
    nothing = Words.model_construct(zh="", en="")
    own, above, what = names[area.code], names.get(area.parent or "", nothing), what or nothing
    return Words(
        zh=pattern.zh.format(place=own.zh, parent=above.zh, what=what.zh),
        en=pattern.en.format(place=own.en, parent=above.en, what=what.en),
    )
