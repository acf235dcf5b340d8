"""Rules between the entries of a city's data; each problem names file, entry and what to do."""

from collections import Counter
from collections.abc import Iterable, Iterator

from deploy.cities.shapes import City, Item

SYSTEMS = frozenset(("health", "labour", "culture", "governance"))
TEAM_KINDS = frozenset(("party_member", "elderly", "women", "housekeeping", "public_safety"))
FEWEST_ITEMS = 100
"""A city promises its people over a hundred services (S18)."""
CODE_LENGTHS = {"city": 4, "county": 6, "sub_district": 9, "community": 12}


def problems(city: City) -> list[str]:
    """All problems, in the order of the files."""
    return [*_areas(city), *_catalogue(city), *_items(city), *_organisations(city), *_teams(city), *_dangers(city)]


def _twice(codes: Iterable[str]) -> list[str]:
    return [code for code, times in Counter(codes).items() if times > 1]


def _areas(city: City) -> Iterator[str]:
    known = {area.code: area.level for area in city.areas}
    yield from (f"areas.json: {c}: listed twice; remove one" for c in _twice(area.code for area in city.areas))
    if list(known.values()).count("city") != 1:
        yield "areas.json: there must be exactly one area of level city; add or remove"
    for area in city.areas:
        if len(area.code) != CODE_LENGTHS[area.level]:
            yield f"areas.json: {area.code}: a {area.level} has a code of {CODE_LENGTHS[area.level]} digits; correct it"
        elif area.parent and area.parent not in known:
            yield f"areas.json: {area.code}: the area above, {area.parent}, is missing; add it or correct the code"


def _catalogue(city: City) -> Iterator[str]:
    items, systems = city.catalogue.items, {system.code for system in city.catalogue.systems}
    yield from (f"catalogue.json: {c}: code used twice; rename one" for c in _twice(item.code for item in items))
    if systems != SYSTEMS or len(city.catalogue.systems) != len(SYSTEMS):
        yield f"catalogue.json: systems must be exactly {', '.join(sorted(SYSTEMS))}; correct the list"
    if (active := sum(item.active for item in items)) < FEWEST_ITEMS:
        yield f"catalogue.json: {active} active items, at least {FEWEST_ITEMS} are promised; add some"
    for system in sorted(SYSTEMS - {item.system for item in items if item.general and item.active}):
        yield f"catalogue.json: {system}: has no active general item; mark one with general: true"


def _items(city: City) -> Iterator[str]:
    for item in city.catalogue.items:
        yield from (f"catalogue.json: {item.code}: {problem}" for problem in _item(item, city))


def _item(item: Item, city: City) -> Iterator[str]:
    offices = {kind.code for kind in city.organisations.kinds if kind.level == "county"}
    offices |= {department.code for department in city.organisations.departments}
    able = {s for kind in city.teams.kinds if item.team_kind in (None, kind.code) for s in kind.skills}
    if item.department not in offices:
        yield f"department {item.department} is not in organisations.json; add it there or correct it here"
    if _twice(item.tiers):
        yield "names a tier twice; remove one"
    if ("team" in item.tiers) != (item.skill is not None) or (item.team_kind and not item.skill):
        yield "tier team and skill go together; give both or neither, and team_kind only with them"
    if item.skill and item.skill not in able:
        yield f"no team of kind {item.team_kind or 'any'} in teams.json has the skill {item.skill}; correct either"
    if item.sensitive and item.followable:
        yield "is sensitive and followable; what others are shown is not sensitive, correct either"
    if item.shared_danger and (item.sensitive or item.accept_within_minutes is None):
        yield "has shared_danger; take it off what is sensitive, or has no accept_within_minutes"
    if item.first_response_hours > item.resolution_hours:
        yield "first_response_hours is longer than resolution_hours; shorten it"
    yield from (f"form field {code} is there twice; rename one" for code in _twice(f.code for f in item.form))
    for field in item.form:
        if (field.kind in ("single", "multi")) != bool(field.values) or _twice(v.key for v in field.values):
            yield f"form field {field.code}: values (keys used once) belong to single and multi only; correct them"


def _organisations(city: City) -> Iterator[str]:
    rules, named = city.organisations, set[str]()
    for code in _twice([kind.code for kind in rules.kinds] + [one.code for one in rules.departments]):
        yield f"organisations.json: {code}: code used twice; rename one"
    for kind in rules.kinds:
        if kind.hours not in {hours.code for hours in rules.hours}:
            yield f"organisations.json: {kind.code}: hours {kind.hours} are not defined; add them or correct the name"
        if (kind.above is None) != (kind.level == "city") or kind.above not in {None, *named}:
            yield f"organisations.json: {kind.code}: above must name a kind listed earlier, for a city's kind none"
        named.add(kind.code)


def _teams(city: City) -> Iterator[str]:
    skills = {skill.code for skill in city.catalogue.skills}
    if sorted(kind.code for kind in city.teams.kinds) != sorted(TEAM_KINDS):
        yield f"teams.json: kinds must be exactly {', '.join(sorted(TEAM_KINDS))}; correct the list"
    for kind in city.teams.kinds:
        for skill in sorted(set(kind.skills) - skills):
            yield f"teams.json: {kind.code}: skill {skill} is not in catalogue.json; add it there or correct it here"


def _dangers(city: City) -> Iterator[str]:
    offered = {item.code for item in city.catalogue.items if item.active}
    for kind in city.dangers.kinds:
        for code in sorted({*kind.items} - offered):
            yield f"dangers.json: {kind.code}: item {code} is not an active one of catalogue.json; correct either"
