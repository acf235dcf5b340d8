"""Every operation that names an object, as the API's own description lists them, aimed at what is somebody else's."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.journeys.town import COMMUNITY, OTHER_COUNTY, ROOT, STREET, Person, Town

ITEM = "GOV-GENERAL"
ROLES = ("resident", "operator", "handler", "dispatcher", "supervisor", "administrator")
EVERYBODY_READS = {"areas", "organisations", "teams", "catalogue"}
"""What stands there is known to all, so that a foreign change of it is 403; of anything else not even that it is."""
REFUSED_TO_ALL = {"outside-your-places", "not-your-team", "citywide-only"}
"""Refused to an actor who is not in charge of the place."""
WORDS: dict[str, Any] = {"string": "这是别人的。", "integer": 1, "number": 1.5, "boolean": True}


@dataclass(frozen=True)
class Operation:
    """One line of the description."""

    method: str
    path: str
    roles: frozenset[str]
    body: Any

    @property
    def collection(self) -> str:
        """What it is about, such as requests."""
        return self.path.split("/")[2]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Aim:
    """An object: how a path names it, and what its owner sees of it, which tells whether it was changed."""

    names: dict[str, str]
    look: Callable[[], Any]
    params: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> dict[str, str]:
        """Names such as it might have, of nothing that is there."""
        return {name: f"{value[:-4]}zzzz" for name, value in self.names.items()}


def operations(described: dict[str, Any], whole: dict[str, Any]) -> Iterator[Operation]:
    """Every operation with an id in its path, with a body that fits; ``whole`` are bodies for which words do not do."""
    for path, item in described["paths"].items():
        for method, known in item.items() if "{" in path else ():
            roles = frozenset(known["x-linli-roles"])
            yield Operation(method.upper(), path, roles, body(described, known, whole))


def body(described: dict[str, Any], operation: dict[str, Any], whole: dict[str, Any]) -> Any:
    if "requestBody" not in operation:
        return None
    name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    known = described["components"]["schemas"]
    return whole.get(name) or value(known[name], known)


def value(schema: dict[str, Any], known: dict[str, Any]) -> Any:
    """Something that fits: one of a closed list, an id where the pattern is an id's, else words, a number, a yes;
    for an object what it needs."""
    schema = known[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if "properties" in schema:
        return {one: value(schema["properties"][one], known) for one in schema.get("required", ())}
    if "enum" in schema:
        return schema["enum"][0]
    prefix = re.match(r"\^\(?([a-z]+_)", schema.get("pattern", ""))
    return f"{prefix[1]}0" if prefix else WORDS[schema["type"]]


@pytest.fixture(scope="module")
def all_operations(town: Town) -> list[Operation]:
    catalogue = json.loads((ROOT / "deploy" / "cities" / "hulunbuir" / "catalogue.json").read_text())
    item = next(one for one in catalogue["items"] if one["code"] == ITEM)
    shift = {"login": f"street-{STREET}", "start": "2100-01-01T20:00", "end": "2100-01-02T08:00"}
    whole = {
        "PublishItem": item,
        "GrantRoles": {"roles": ["handler"], "places": [OTHER_COUNTY]},
        "AddShifts": {"shifts": [shift]},
    }
    return list(operations(town.done("GET", "/openapi.json"), whole))


@pytest.fixture(scope="module")
def aims(town: Town) -> dict[str, Aim]:
    """Of each collection one object that belongs to a resident, or to a place, of the first county."""
    owner, administrator = town.resident(), town.staff("administrator")
    town.done("PUT", "/v1/me", owner, {"name": "王秀英", "area": COMMUNITY})
    case = town.file(owner)
    [message] = town.wait(lambda: town.notices(owner, case["id"], "case-filed"), "the acknowledgement")
    dispatcher = town.staff(f"street-{STREET}")
    account = dispatcher.claims["sub"]
    roster = town.done("POST", "/v1/rosters", dispatcher, {"area": STREET, "system": "culture"})["id"]

    def tag(path: str, who: Person | None = None) -> Callable[[], str]:
        return lambda: town.ask("GET", path, who).headers["ETag"]

    def first(collection: str) -> str:
        return str(town.done("GET", f"/v1/{collection}", params={"under": COMMUNITY})["items"][0]["id"])

    organisation, team, person = first("organisations"), first("teams"), owner.claims["person"]
    seen, session = tag(f"/v1/requests/{case['id']}", owner), owner.claims["sid"]

    def one_of(items: list[dict[str, Any]], id: str) -> list[dict[str, Any]]:
        return [one for one in items if one["id"] == id]

    return {
        "areas": Aim({"code": COMMUNITY}, tag(f"/v1/areas/{COMMUNITY}")),
        "organisations": Aim({"organisation_id": organisation}, tag(f"/v1/organisations/{organisation}")),
        "teams": Aim({"team_id": team, "person_id": person}, tag(f"/v1/teams/{team}")),
        "rosters": Aim({"roster_id": roster, "shift_id": "shift_0000"}, tag(f"/v1/rosters/{roster}", dispatcher)),
        "catalogue": Aim({"code": ITEM}, tag(f"/v1/catalogue/{ITEM}")),
        "people": Aim({"person_id": person}, tag("/v1/me", owner)),
        "accounts": Aim({"account_id": account}, tag(f"/v1/accounts/{account}", administrator)),
        "requests": Aim({"case_id": case["id"]}, seen),
        "track": Aim({"number": case["number"]}, seen, {"code": "000000"}),
        "inbox": Aim({"id": message["id"]}, lambda: one_of(town.inbox(owner), message["id"])),
        "sessions": Aim({"session_id": session}, lambda: one_of(town.all("/v1/sessions", owner), session)),
    }


def test_an_object_of_somebody_else_is_neither_seen_nor_changed_by_a_resident(
    town: Town, all_operations: list[Operation], aims: dict[str, Aim]
) -> None:
    assert not breaches(town, all_operations, aims, town.resident(), frozenset({"resident"}))


def test_an_object_of_another_county_is_neither_seen_nor_changed_by_staff_of_any_role(
    town: Town, all_operations: list[Operation], aims: dict[str, Aim]
) -> None:
    # All roles at once: nothing is refused for a role that is missing, so that only the place can be the reason.
    assert not breaches(town, all_operations, aims, town.hire(OTHER_COUNTY, *ROLES), frozenset(ROLES))


def breaches(
    town: Town, all_operations: list[Operation], aims: dict[str, Aim], who: Person, roles: frozenset[str]
) -> list[str]:
    """The operations that a stranger got further with than they should."""
    described = {operation.collection for operation in all_operations}
    assert described <= set(aims), f"say in `aims` what of {described - set(aims)} is somebody else's"
    assert described == set(aims), f"no operation names an object of {set(aims) - described}"
    result = {str(one): breach(town, one, aims[one.collection], who, roles) for one in all_operations}
    return [f"{operation}: {what}" for operation, what in result.items() if what]


def breach(town: Town, operation: Operation, aim: Aim, who: Person, roles: frozenset[str]) -> str | None:
    before = aim.look()
    status, code, detail = tried(town, operation, aim.names, aim, who)
    if aim.look() != before:
        return f"changed it ({status})"
    open_to_all = operation.collection in EVERYBODY_READS
    if operation.roles.isdisjoint(roles | {"public"}):
        fitting = code == "forbidden"
    elif open_to_all:
        fitting = status == 200 if operation.method == "GET" else (status == 403 and code in REFUSED_TO_ALL)
    else:
        fitting = (status, code) == (404, "not-found")
    if not fitting:
        return f"{status} {code} {detail}"
    alike = open_to_all or (status, code, detail) == tried(town, operation, aim.missing, aim, who)
    return None if alike else "tells what is there from what is not"


def tried(
    town: Town, operation: Operation, names: dict[str, str], aim: Aim, who: Person
) -> tuple[int, str | None, str | None]:
    """Status, code and sentence of the answer."""
    path = operation.path.format(**names)
    answer = town.ask(operation.method, path, who, operation.body, params=aim.params)
    result = answer.json()
    return answer.status_code, result.get("code"), result.get("detail")


def test_an_operation_that_nobody_knows_how_to_aim_fails(town: Town, aims: dict[str, Aim]) -> None:
    described = {"paths": {"/v1/visits/{visit_id}": {"get": {"x-linli-roles": ["handler"]}}}}
    with pytest.raises(AssertionError, match="visits"):
        breaches(town, list(operations(described, {})), aims, town.resident(), frozenset({"resident"}))
