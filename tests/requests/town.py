"""A small town for the tests of requests: places, those who serve them, people, and a few service items."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import httpx
from fastapi import FastAPI

from services.chassis.domain.entity import Copy
from services.chassis.domain.events import Event
from services.chassis.domain.scope import Actor
from services.chassis.domain.values import now
from services.chassis.domain.words import Words
from services.chassis.messaging.reactions import Keep
from services.chassis.schedule.calendar import CityTimes
from services.chassis.usecase import Container, Context
from services.contracts.members.areas import AreaAdded, AreaClosed
from services.contracts.members.organisations import OrganisationFounded
from services.contracts.members.teams import TeamFounded, TeamWentOnDuty
from services.requests.calendar.queries import CityCalendar
from services.requests.cases.model import Case
from services.requests.catalogue.commands import PublishItem, publish_item
from services.requests.providers.model import AreaCopy, Organisation, Team
from tests.conftest import CITY_DATA
from tests.support.world import World, keyed

CITY, COUNTY, STREET, HOME = "1507", "150702", "150702001", "150702001001"
GRID = f"{HOME}-03"
BARE = "150702001002"
"""A community without a station."""
ELSEWHERE = "150721101001"
"""A community of another county, where nobody serves."""
GONE = "150702001009"

STATION, CENTRE, DEPARTMENT = "organisation_station", "organisation_centre", "organisation_health"
COUNTY_OFFICE, CITY_OFFICE = "organisation_county", "organisation_city"
PATROL, GUARDS = "team_patrol", "team_guards"


def staff(role: str, *places: str, organisations: tuple[str, ...] = ()) -> Actor:
    """Somebody who works for the city."""
    return Actor(f"account_{role}{len(places)}", frozenset({role}), places, organisations)


def resident(number: int) -> Actor:
    """One of many residents."""
    return Actor(f"account_r{number}", frozenset({"resident"}), person=f"person_r{number}")


RESIDENT = Actor("account_wang", frozenset({"resident"}), person="person_wang")
NEIGHBOUR = Actor("account_li", frozenset({"resident"}), person="person_li")
OPERATOR = staff("operator", CITY)
STATION_HANDLER = staff("handler", HOME, organisations=(STATION,))
CENTRE_HANDLER = staff("handler", STREET, organisations=(CENTRE,))
DEPARTMENT_HANDLER = staff("handler", COUNTY, organisations=(DEPARTMENT,))
OFFICE_HANDLER = staff("handler", organisations=(COUNTY_OFFICE,))
LEADER = staff("handler", HOME, organisations=(PATROL,))
DISPATCHER = staff("dispatcher", STREET)
SUPERVISOR = staff("supervisor", COUNTY)
FOREIGN_DISPATCHER = staff("dispatcher", "150721101")
ADMINISTRATOR = staff("administrator", CITY)

ORGANISATIONS = {
    CITY_OFFICE: {"kind": "supervision", "name": {"zh": "市督办办公室"}, "area": CITY},
    COUNTY_OFFICE: {"kind": "supervision", "name": {"zh": "海拉尔区督办办公室"}, "area": COUNTY, "above": CITY_OFFICE},
    DEPARTMENT: {
        "kind": "department",
        "name": {"zh": "海拉尔区卫生健康委员会"},
        "area": COUNTY,
        "above": COUNTY_OFFICE,
        "department": "health",
    },
    CENTRE: {"kind": "centre", "name": {"zh": "正阳便民服务中心"}, "area": STREET, "above": COUNTY_OFFICE},
    STATION: {
        "kind": "station",
        "name": {"zh": "正阳社区服务站", "en": "Zhengyang Station"},
        "area": HOME,
        "above": CENTRE,
    },
}
AREAS = {
    CITY: "city",
    COUNTY: "county",
    STREET: "sub_district",
    HOME: "community",
    GRID: "grid",
    BARE: "community",
    GONE: "community",
    ELSEWHERE: "community",
}


def item(code: str, *tiers: str, **more: Any) -> dict[str, Any]:
    """A service item as the city's catalogue has it."""
    both = {"zh": "事项", "en": "Item"}
    return {
        "code": code,
        "system": "health",
        "group": {"zh": "公共卫生", "en": "Public health"},
        "name": {"zh": f"事项{code}", "en": f"Item {code}"},
        "general": False,
        "eligibility": both,
        "materials": [both],
        "steps": [both],
        "mode": "free",
        "tiers": list(tiers),
        "team_kind": None,
        "skill": "patrol" if "team" in tiers else None,
        "department": "health",
        "first_response_hours": 4,
        "resolution_hours": 24,
        "form": [],
        "keywords": [f"词{code}"],
        "emergency": None,
        **more,
    }


def field(code: str, kind: str, *keys: str, required: bool = True) -> dict[str, Any]:
    """A question of a form."""
    values = [{"key": key, "zh": key, "en": key} for key in keys]
    return {"code": code, "label": {"zh": code, "en": code}, "kind": kind, "required": required, "values": values}


ITEMS = [
    item("NEAR", "station", "centre", "county"),
    item("WATCH", "team", "centre", team_kind="public_safety"),
    item("COUNTY", "county"),
    item("FORM", "station", form=[field("age", "number"), field("when", "multi", "day", "night", required=False)]),
]


def filing(**more: Any) -> dict[str, Any]:
    """What a resident files."""
    return {"item": "NEAR", "area": HOME, "title": "楼道灯坏了", "text": "三单元的灯不亮。", **more}


@dataclass
class Town:
    """The service on a database of its own, with everything there that a request needs."""

    world: World
    container: Container
    app: FastAPI

    def context(self, actor: Actor, at: datetime | None = None) -> Context:
        """A context for a use case, at another time where one is given."""
        there = replace(self.container, clock=lambda: at or now())
        return there.context(actor, f"test:{secrets.token_hex(8)}")

    async def call(self, actor: Actor | None, method: str, path: str, **more: Any) -> httpx.Response:
        """One request; what is not GET gets a new Idempotency-Key unless ``headers`` has one."""
        headers = {**(keyed() if method != "GET" else {}), **more.pop("headers", {})}
        async with self.world.client(self.app, actor) as client:
            return await client.request(method, path, headers=headers, **more)

    async def get(self, actor: Actor | None, path: str, **params: Any) -> httpx.Response:
        """Read."""
        return await self.call(actor, "GET", path, params=params)

    async def post(self, actor: Actor | None, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """Take a step."""
        return await self.call(actor, "POST", path, json=body, **more)

    async def put(self, actor: Actor | None, path: str, body: Any) -> httpx.Response:
        """Set something."""
        return await self.call(actor, "PUT", path, json=body)

    async def file(self, actor: Actor = RESIDENT, **more: Any) -> dict[str, Any]:
        """A filed request."""
        answer = await self.post(actor, "/v1/requests", filing(**more))
        assert answer.status_code == 201, answer.text
        filed: dict[str, Any] = answer.json()
        return filed

    async def step(self, actor: Actor, case: dict[str, Any], step: str, body: Any = None) -> dict[str, Any]:
        """The case after a step that is allowed."""
        method = "PUT" if step in ("team", "handler") else "POST"
        answer = await self.call(actor, method, f"/v1/requests/{case['id']}/{step}", json=body)
        assert answer.status_code == 200, answer.text
        after: dict[str, Any] = answer.json()
        return after

    async def case(self, id: str) -> Case:
        """A case as it is stored."""
        return await self.container.system_context("test", "read").store.get(Case, id)

    async def events(self, id: str) -> list[str]:
        """The short names of what happened to a case."""
        history = await self.container.system_context("test", "read").store.history(Case, id)
        return [recorded.type.rpartition(".")[2] for recorded in history]

    async def keep_copy(self, kind: type[Copy[Any]], id: str, *events: Event) -> None:
        """Keep a copy as these events make it."""
        copy = kind.blank(id)
        for event in events:
            copy.apply(event)
        copy.version = len(events)
        origin = self.context(RESIDENT).store._origin
        await self.container.mongo.bulk(copy.collection(), [write for _, write in Keep.of(copy).writes(origin)])

    async def team(self, id: str, *, area: str = HOME, capacity: int = 1, sort: str = "public_safety") -> None:
        """A volunteer team on duty that can patrol."""
        founded = TeamFounded(kind=sort, name=Words.named(f"队{id}"), area=area, skills=["patrol"], capacity=capacity)
        await self.keep_copy(Team, id, founded, TeamWentOnDuty())

    def hold_calendar(self, held: CityCalendar) -> CityCalendar:
        """Let the process hold other working times; those that it held."""
        dependencies: Any = self.container.dependencies
        before: CityCalendar = dependencies[CityCalendar]
        dependencies[CityCalendar] = held
        return before

    def forget_calendar(self) -> None:
        """As at the start of a process, that of the city's folder."""
        file = (CITY_DATA / "holidays.json").read_text(encoding="utf-8")
        self.hold_calendar(CityCalendar(CityTimes.model_validate_json(file)))

    async def settle(self) -> None:
        """Let there be places, those who serve them, people and items."""
        for code, level in AREAS.items():
            added = AreaAdded(level=level, name=Words.named(code))
            await self.keep_copy(AreaCopy, code, added, *([AreaClosed(reason="merged")] if code == GONE else []))
        for id, result in ORGANISATIONS.items():
            await self.keep_copy(Organisation, id, OrganisationFounded.model_validate(result))
        for person in ("person_wang", "person_li"):
            await self.container.vault.mint(person, now())
        for one in ITEMS:
            await publish_item(self.context(ADMINISTRATOR), one["code"], PublishItem.model_validate(one))
