"""What the tests of members share: a small city, its actors, and a look at what a phone would get."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from fastapi import FastAPI

from services.chassis.domain.events import Recorded
from services.chassis.domain.scope import Actor
from services.chassis.domain.values import Sealed, now
from services.chassis.usecase import Container
from tests.support.world import World, keyed

CITY, COUNTY, STREET, COMMUNITY = "1507", "150702", "150702001", "150702001001"
FAR_COUNTY, FAR_STREET, FAR_COMMUNITY = "150781", "150781001", "150781001001"
AREAS = (
    (CITY, "city", "呼伦贝尔市"),
    (COUNTY, "county", "海拉尔区"),
    (STREET, "sub_district", "正阳街道"),
    (COMMUNITY, "community", "正阳社区"),
    (FAR_COUNTY, "county", "满洲里市"),
    (FAR_STREET, "sub_district", "东山街道"),
    (FAR_COMMUNITY, "community", "东山社区"),
)

ADMINISTRATOR = Actor("account_admin", frozenset({"administrator"}), (CITY,))
COUNTY_ADMINISTRATOR = Actor("account_county", frozenset({"administrator"}), (COUNTY,))
OPERATOR = Actor("account_operator", frozenset({"operator"}), (COUNTY,))
DISPATCHER = Actor("account_dispatcher", frozenset({"dispatcher"}), (STREET,))
FAR_DISPATCHER = Actor("account_far", frozenset({"dispatcher"}), (FAR_STREET,))
PHONE = "13800000001"
HALL = "198.51.100.7"
HALL_BY_IPV6 = "2001:db8:7::7"
"""An address from which many people sign in."""
GATEWAY_SAYS = "X-Linli-Client-Address"


@dataclass
class Clock:
    """The clock of the service under test, which a test moves on."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """The real time and what was added."""
        return now() + self.ahead

    def back(self) -> None:
        """To the real time."""
        self.ahead = timedelta()

    def forward(self, *, seconds: int) -> None:
        """Let so much time pass."""
        self.ahead += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Members:
    """The running service on an own database, with a small city in it."""

    world: World
    container: Container
    app: FastAPI
    clock: Clock

    def client(self, actor: Actor | None = None) -> httpx.AsyncClient:
        """A client signed in as ``actor``, or as nobody."""
        client = self.world.client(self.app, actor)
        client.headers[GATEWAY_SAYS] = HALL
        return client

    async def post(self, actor: Actor | None, path: str, body: object = None) -> httpx.Response:
        """One POST with a key of its own."""
        async with self.client(actor) as client:
            return await client.post(path, json=body, headers=keyed())

    async def put(self, actor: Actor | None, path: str, body: object = None) -> httpx.Response:
        """One PUT."""
        async with self.client(actor) as client:
            return await client.put(path, json=body)

    async def get(self, actor: Actor | None, path: str, **params: str) -> httpx.Response:
        """One GET."""
        async with self.client(actor) as client:
            return await client.get(path, params=params)

    async def count(self, collection: str) -> int:
        """How many documents a collection has."""
        return await self.container.mongo.count(collection, {}, limit=1000)

    async def history(self, collection: str, id: str) -> list[Recorded]:
        """What has happened to one entity."""
        document = await self.container.mongo.find_one(collection, {"_id": id})
        assert document is not None
        return [Recorded.load(entry) for entry in document["history"]]

    async def code_for(self, phone: str) -> str:
        """The code last sent to a phone, opened as notify would open it."""
        found = await self.container.mongo.find("phonecodes", {}, limit=100)
        for document in found:
            issued = [e["data"] for e in document["history"] if e["type"].endswith("SignInCodeIssued")][-1]
            await self.container.vault.ensure_keys([issued["person_id"]])
            opened = self.container.vault.open(Sealed(issued["phone"]), issued["person_id"], "phone")
            if opened == f"+86{phone}":
                code = self.container.vault.open(Sealed(issued["code"]), issued["person_id"], "code")
                assert code is not None
                return code
        raise AssertionError(f"no code was sent to {phone}")

    async def signed_in(self, phone: str = PHONE) -> dict[str, str]:
        """The tokens of somebody who signs in with their phone."""
        await self.post(None, "/v1/sign-in/codes", {"phone": phone})
        body = {"phone": phone, "code": await self.code_for(phone)}
        answer = await self.post(None, "/v1/sign-in/tokens", body)
        assert answer.status_code == 201, answer.text
        tokens: dict[str, str] = answer.json()
        return tokens

    async def with_token(self, method: str, path: str, token: str) -> httpx.Response:
        """A request with this very token."""
        async with self.client() as client:
            return await client.request(method, path, headers={"Authorization": f"Bearer {token}"})


def other_than(code: str) -> str:
    """A wrong code."""
    return f"{(int(code) + 1) % 10**6:06d}"
