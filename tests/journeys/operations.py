"""Every operation as the API's own description lists it, with a body that fits."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.journeys.town import COMMUNITY, OTHER_COUNTY, ROOT, STREET, Town, filing

ITEM = "GOV-GENERAL"
_WORDS: dict[str, Any] = {
    "string": "这是别人的。",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "array": [],
    "object": {},
}


@dataclass(frozen=True, eq=False)
class Operation:
    """One line of the description."""

    method: str
    path: str
    roles: frozenset[str]
    body: Any
    params: Mapping[str, str]
    """What its query needs, and the place where it takes one."""

    @property
    def collection(self) -> str:
        """What it is about, such as requests."""
        return self.path.split("/")[2]

    @property
    def names_an_object(self) -> bool:
        """Whether its path has an id."""
        return "{" in self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def all_operations(town: Town) -> list[Operation]:
    """What the running town says of itself."""
    catalogue = json.loads((ROOT / "deploy" / "cities" / "hulunbuir" / "catalogue.json").read_text())
    item = next(one for one in catalogue["items"] if one["code"] == ITEM)
    shift = {"login": f"street-{STREET}", "start": "2100-01-01T20:00", "end": "2100-01-02T08:00"}
    text, calendar = {"zh": "这是别人的。"}, town.done("GET", "/v1/calendar")
    whole = {
        "PublishItem": item,
        "GrantRoles": {"roles": ["handler"], "places": [OTHER_COUNTY]},
        "AddShifts": {"shifts": [shift]},
        "FileRequest": filing(),
        "AddArea": {"code": f"{STREET}099", "level": "community", "name": text},
        "OpenAccount": {"login": "matrix-of-routes", "roles": ["handler"], "places": [COMMUNITY]},
        "FoundTeam": {
            "kind": "women",
            "name": text,
            "area": COMMUNITY,
            "skills": ["patrol"],
            "capacity": 1,
        },
        "FindPeople": {"name": "王秀英"},
        "FindCases": {"area": COMMUNITY},
        "SetCalendar": {name: one for name, one in calendar.items() if name not in ("version", "time_zone", "set_at")},
        "SetPreferences": {"channels": ["inbox"]},
    }
    return list(operations(town.done("GET", "/openapi.json"), whole))


def operations(described: dict[str, Any], whole: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation; ``whole`` are the bodies for which words do not do, by their schema's name."""
    for path, item in described["paths"].items():
        for method, known in item.items():
            roles = frozenset(known["x-linli-roles"])
            yield Operation(method.upper(), path, roles, body(described, known, whole), params(described, known))


def body(described: dict[str, Any], operation: dict[str, Any], whole: Mapping[str, Any]) -> Any:
    """A body that fits, None where the operation takes none."""
    if "requestBody" not in operation:
        return None
    name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    known = described["components"]["schemas"]
    return whole.get(name) or value(known[name], known)


def params(described: dict[str, Any], operation: dict[str, Any]) -> dict[str, str]:
    """A query that fits: no more than it needs, and the place in any case."""
    asked = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
    known, given = described["components"]["schemas"], {"area": COMMUNITY, "under": COMMUNITY, "item": ITEM}
    needed = {one["name"]: str(value(one["schema"], known)) for one in asked if one.get("required")}
    return needed | {one["name"]: given[one["name"]] for one in asked if one["name"] in given}


def value(schema: dict[str, Any], known: dict[str, Any]) -> Any:
    """Something that fits: one of a closed list, an id where the pattern is an id's, else words, a number, a yes;
    for an object what it needs, and the place in any case, since it is by the place that a stranger is refused."""
    schema = known[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if "properties" in schema:
        named = [*schema.get("required", ()), *({"area"} & set(schema["properties"]))]
        return {one: COMMUNITY if one == "area" else value(schema["properties"][one], known) for one in named}
    if "enum" in schema:
        return schema["enum"][0]
    if "examples" in schema:
        return schema["examples"][0]
    prefix = re.match(r"\^\(?([a-z]+_)", schema.get("pattern", ""))
    return f"{prefix[1]}0" if prefix else _WORDS[schema["type"]]
