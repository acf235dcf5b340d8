"""The stages of seeding: what is sent for each thing of a city's data, those first that others stand on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from deploy.cities.shapes import Area, City, Item
from deploy.cities.spread import Office, Team, offices, teams
from deploy.cli.city.bars import Bars, side_by_side
from deploy.cli.city.client import Answer, Gateway, Refused
from deploy.cli.city.credentials import Account
from deploy.cli.city.tokens import Bearer
from deploy.cli.seeding.staff import Staff, staff

AT_ONCE = 32
LEVELS = ("city", "county", "sub_district", "community")
LEVEL_NAMES = {"city": "city", "county": "counties", "sub_district": "sub-districts", "community": "communities"}


@dataclass
class Seeding:
    """One run: everything is sent with a key made of the city and its natural key, so that a repeat changes nothing."""

    name: str
    city: City
    gateway: Gateway
    operator: Bearer
    bars: Bars
    ids: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    leaders: dict[str, str] = field(default_factory=dict)

    async def all(self) -> None:
        """Everything, in the order in which one thing needs another; Refused where the city says no."""
        for level in LEVELS:
            own = [area for area in self.city.areas if area.level == level]
            await self._stage(LEVEL_NAMES[level], own, self._area)
        await self._stage("catalogue", list(self.city.catalogue.items), self._item)
        founded = list(offices(self.city))
        for level in LEVELS:
            for above in (True, False):
                own_offices = [o for o in founded if o.area.level == level and (o.department is None) == above]
                await self._stage(f"offices, {LEVEL_NAMES[level]}", own_offices, self._office)
        serving = list(teams(self.city))
        await self._stage("teams", serving, self._team)
        await self._stage("staff", staff(self.city, founded, serving), self._account)
        await self._stage("leaders", list(self.leaders), self._leader)

    async def _stage(self, name: str, things: list[Any], work: Any) -> None:
        if things:
            self.bars.begin(name, len(things))

            async def one(thing: Any) -> None:
                await work(thing)
                self.bars.advance(name)

            await side_by_side(one, things, AT_ONCE)

    async def _area(self, area: Area) -> None:
        body = {"code": area.code, "level": area.level, "name": area.name.zh, "name_en": area.name.en}
        await self._send("area", area.code, "POST", "/v1/areas", body)

    async def _item(self, item: Item) -> None:
        body = item.model_dump(mode="json", exclude_unset=True)
        # An item is set anew when its description changed, so what it says is part of its key.
        digest = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]
        await self._send("item", f"{item.code}:{digest}", "PUT", f"/v1/catalogue/{item.code}", body)

    async def _office(self, office: Office) -> None:
        body = {
            "code": office.key,
            "kind": office.kind.code,
            "name": office.name.zh,
            "name_en": office.name.en,
            "area": office.area.code,
            "above": self.ids[office.above] if office.above else None,
            "department": office.department,
        }
        self.ids[office.key] = (await self._send("organisation", office.key, "POST", "/v1/organisations", body))["id"]

    async def _team(self, team: Team) -> None:
        body = {
            "code": team.key,
            "kind": team.kind.code,
            "name": team.name.zh,
            "name_en": team.name.en,
            "area": team.area.code,
            "skills": list(team.kind.skills),
            "capacity": team.kind.capacity,
        }
        self.ids[team.key] = (await self._send("team", team.key, "POST", "/v1/teams", body))["id"]
        await self._send("on-duty", team.key, "PUT", f"/v1/teams/{self.ids[team.key]}/on-duty", {"on_duty": True})

    async def _account(self, one: Staff) -> None:
        body = {
            "login": one.login,
            "name": one.name,
            "roles": list(one.roles),
            "places": list(one.places),
            "organisations": [self.ids[key] for key in one.serves],
        }
        opened = await self._send("account", one.login, "POST", "/v1/accounts", body)
        self.accounts[one.login] = Account(**body, password=opened["password"], totp_secret=opened["totp_secret"])
        self.leaders.update(dict.fromkeys(one.leads, opened["person_id"]))

    async def _leader(self, key: str) -> None:
        path = f"/v1/organisations/{self.ids[key]}/leader"
        await self._send("leader", key, "PUT", path, {"leader_id": self.leaders[key]})

    async def _send(self, kind: str, natural_key: str, method: str, path: str, body: Mapping[str, Any]) -> Any:
        key = f"seed:{self.name}:{kind}:{natural_key}"
        token = (await self.operator.token()).value
        answer = await self.gateway.ask(method, path, token=token, key=key, body=body)
        return _told(answer, f"{kind} {natural_key}")


def _told(answer: Answer, what: str) -> Any:
    if answer.code == "key-reused":
        raise Refused(f"{what} was seeded before with other data: change it by its own use case, or clear the data", answer)
    return answer.expect(what)
