"""The stages of seeding: what is sent for each thing of a city's data, those first that others stand on."""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import orjson

from deploy.cities.shapes import Area, City, Item
from deploy.cities.spread import Office, Team, offices, teams
from deploy.cli.city.client import Gateway, Refused
from deploy.cli.city.credentials import Account
from deploy.cli.city.progress import Bars, side_by_side
from deploy.cli.city.tokens import Bearer
from deploy.cli.seeding.duty import Roster, monday, rosters
from deploy.cli.seeding.staff import Staff, staff
from services.chassis.schedule.calendar import CityTimes

T = TypeVar("T")
AT_ONCE = 32
LEVELS = {"city": "city", "county": "counties", "sub_district": "sub-districts", "community": "communities"}


@dataclass
class Seeding:
    """One run: everything is sent with a key made of the city and its natural key, so that a repeat changes nothing."""

    name: str
    city: City
    gateway: Gateway
    operator: Bearer
    bars: Bars
    counts: Counter[str] = field(default_factory=Counter)
    accounts: dict[str, Account] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)
    _people: dict[str, str] = field(default_factory=dict)

    @cached_property
    def offices(self) -> list[Office]:
        """Every organisation that is to be."""
        return list(offices(self.city))

    @cached_property
    def teams(self) -> list[Team]:
        """Every volunteer team that is to be."""
        return list(teams(self.city))

    @cached_property
    def staff(self) -> list[Staff]:
        """Every account that is to be."""
        return staff(self.city, self.offices, self.teams)

    @cached_property
    def last_community(self) -> str:
        """The code of the community that comes last."""
        return max(area.code for area in self.city.areas if area.level == "community")

    async def all(self) -> None:
        """Everything, in the order in which one thing needs another; Refused where the city says no."""
        for level, name in LEVELS.items():
            await self._stage(name, [area for area in self.city.areas if area.level == level], self._area)
        await self._stage("working times", [self.city.times], self._times)
        await self._stage("service items", [item for item in self.city.catalogue.items if item.active], self._item)
        await self._stage("accounts", self.staff, self._account)
        for level in LEVELS:
            # A department stands under the supervision of its own level.
            for named in (False, True):
                own = [o for o in self.offices if o.area.level == level and (o.department is not None) == named]
                await self._stage("organisations", own, self._office)
        await self._stage("teams", self.teams, self._team)
        await self._stage("duties", self.staff, self._duty)
        await self._stage("duty rosters", rosters(self.city), self._roster)

    async def expect_fileable(self) -> None:
        """Ask requests for something in the last community, with an answer that no form asks for.

        Nothing is filed; but the refusal is about the answer only where item and place are known. Refused otherwise.
        """
        last = self.city.catalogue.items[-1].code
        words = {"title": "seed", "text": "seed", "answers": {"seed": True}, "on_behalf_of": "person_nobody"}
        body = {"item": last, "area": self.last_community, **words}
        token = (await self.operator.token()).value
        answer = await self.gateway.ask("POST", "/v1/requests", token=token, key=f"seed:{self.name}:look", body=body)
        if answer.code != "answers-unfit":
            raise Refused(f"requests does not know {last} or {self.last_community} yet", answer)

    async def _stage(self, name: str, things: Sequence[T], work: Callable[[T], Awaitable[None]]) -> None:
        self.bars.begin(name, len(things))

        async def one(thing: T) -> None:
            await work(thing)
            self.counts[name] += 1
            self.bars.advance(name)

        await side_by_side(one, things, AT_ONCE)

    async def _area(self, area: Area) -> None:
        body = {"code": area.code, "level": area.level, "name": area.name.model_dump(exclude_none=True)}
        await self._send("area", area.code, "POST", "/v1/areas", body)
        if area.bounds is not None:
            key = f"{area.code}:bounds"
            await self._send("area", key, "PUT", f"/v1/areas/{area.code}/bounds", area.bounds.model_dump())

    async def _times(self, times: CityTimes) -> None:
        # Somebody may have set others meanwhile: a key made of the content alone would only hear its first answer.
        body = times.model_dump(mode="json", exclude={"time_zone"})
        answer = await self.gateway.ask("GET", "/v1/calendar")
        present = answer.expect("working times")
        if {name: present[name] for name in body} != body:
            key = f"{_digest(body)}:{present['version']}"
            await self._send("working times", key, "PUT", "/v1/calendar", body)

    async def _item(self, item: Item) -> None:
        body = item.model_dump(mode="json")
        await self._send("item", f"{item.code}:{_digest(body)}", "PUT", f"/v1/catalogue/{item.code}", body)

    async def _account(self, one: Staff) -> None:
        body = {"login": one.login, "name": one.name, "roles": list(one.roles), "places": list(one.places)}
        opened = await self._send("account", one.login, "POST", "/v1/accounts", body)
        self._ids[one.login] = opened["id"]
        self._people.update(dict.fromkeys(one.leads, opened["person"]))
        self.accounts[one.login] = Account(**body, password=opened["password"], totp_secret=opened["totp_secret"])

    async def _office(self, office: Office) -> None:
        body = {
            "code": _code(office.key),
            "kind": office.kind.code,
            "name": office.name.model_dump(),
            "area": office.area.code,
            "above": office.above and self._ids[office.above],
            "department": office.department,
            "leader": self._people.get(office.key),
        }
        self._ids[office.key] = (await self._send("organisation", office.key, "POST", "/v1/organisations", body))["id"]

    async def _team(self, team: Team) -> None:
        body = {
            "code": _code(team.key),
            "kind": team.kind.code,
            "name": team.name.model_dump(),
            "area": team.area.code,
            "skills": list(team.kind.skills),
            "capacity": team.kind.capacity,
            "leader": self._people.get(team.key),
            "on_duty": team.key in self._people,  # a team without a leader takes no cases
        }
        self._ids[team.key] = (await self._send("team", team.key, "POST", "/v1/teams", body))["id"]

    async def _duty(self, one: Staff) -> None:
        """Give an account the organisations that it works for: they were founded after it, with it as their leader."""
        serves = tuple(self._ids[key] for key in one.serves)
        body = {"roles": list(one.roles), "places": list(one.places), "organisations": list(serves)}
        await self._send("duty", one.login, "PUT", f"/v1/accounts/{self._ids[one.login]}/roles", body)
        self.accounts[one.login] = self.accounts[one.login].model_copy(update={"organisations": serves})

    async def _roster(self, roster: Roster) -> None:
        """Shifts for some weeks from now on; where a roster has some already, they stay."""
        today = datetime.now(self.city.times.time_zone).date()
        started = await self._send(
            "roster", roster.key, "POST", "/v1/rosters", {"area": roster.area, "system": roster.system}
        )
        try:
            body, path = {"shifts": roster.shifts(today)}, f"/v1/rosters/{started['id']}/shifts"
            await self._send("shifts", f"{roster.key}:{monday(today)}", "POST", path, body)
        except Refused as refused:
            if refused.answer.code != "shifts-overlap":
                raise

    async def _send(
        self, kind: str, natural_key: str, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Any:
        key = f"seed:{self.name}:{kind}:{natural_key}"
        token = (await self.operator.token()).value
        answer = await self.gateway.ask(method, path, token=token, key=key, body=body)
        if answer.code == "key-reused":
            raise Refused(f"{kind} {natural_key} was seeded before with other data", answer)
        return answer.expect(f"{kind} {natural_key}")


def _digest(body: Any) -> str:
    """What is sent again when it changed has what it says in its key."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def _code(key: str) -> str:
    """A natural key of the city's data (`<area>:<what>`) as members takes one: station-150702001001."""
    area, _, what = key.partition(":")
    return f"{what}-{area}"
