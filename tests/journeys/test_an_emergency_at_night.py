"""Saturday, 22:54: somebody smells gas. Who is on call is called at once, and if nobody accepts, it goes to the top.

All three services and their workers, with real stores, on a clock that is moved.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import CITY_DATA
from tests.requests.town import AREAS, CITY, COUNTY, GONE, HOME, STREET
from tests.support.trio import Somebody, Trio, trio
from tests.support.world import World

SATURDAY = datetime(2026, 11, 28, 14, 54, tzinfo=UTC)
"""22:54 in the city."""
MINUTE = timedelta(minutes=1)
ADMINISTRATOR = Somebody("account_admin", frozenset({"administrator", "operator"}), (CITY,))
STAFF = (
    ("night", "dispatcher", STREET, "13800000001"),
    ("backup", "dispatcher", STREET, "13800000002"),
    ("county", "supervisor", COUNTY, "13800000003"),
    ("city", "supervisor", CITY, "13800000004"),
)
QUIET = {"channels": [], "quiet_from": "22:00", "quiet_to": "07:00"}


@dataclass
class Night:
    """The city in which it happens."""

    trio: Trio
    staff: dict[str, Somebody]
    resident: Somebody
    station: str

    async def file(self, resident: Somebody) -> dict[str, Any]:
        """Somebody smells gas."""
        body = {
            "item": "GOV-GAS-LEAK",
            "area": HOME,
            "title": "闻到煤气味",
            "text": "三号楼楼道里有很浓的煤气味。",
            "answers": {"place": "三号楼", "danger": "yes"},
        }
        return await self.trio.done("requests", "POST", "/v1/requests", resident, body)

    async def case(self, id: str, who: Somebody) -> dict[str, Any]:
        """The case as somebody sees it."""
        return await self.trio.done("requests", "GET", f"/v1/requests/{id}", who)

    async def heard(self, who: Somebody) -> Counter[str]:
        """The templates of what came to an inbox since everybody has a phone, and how often."""
        inbox = await self.trio.done("notify", "GET", "/v1/inbox?limit=100", who)
        return Counter(one["template"] for one in inbox["items"] if one["template"] != "phone-changed")

    async def heard_of_calls(self, who: Somebody) -> dict[str, int]:
        """The same without gaps in the rosters, which are found sooner or later."""
        return {template: times for template, times in (await self.heard(who)).items() if template != "roster-gap"}

    async def hears(self, who: Somebody, template: str) -> None:
        """Wait until a notice is in an inbox."""

        async def there() -> bool:
            return template in await self.heard(who)

        await self.trio.wait(there, f"{template} for {who.id}")

    def texts(self, phone: str) -> list[str]:
        """What came to a phone."""
        files = (self.trio.world.folder / "sms").glob("*.json")
        found = [json.loads(file.read_text()) for file in files]
        return [one["text"] for one in found if one["phone"].endswith(phone)]

    async def texted(self, phone: str, words: str) -> None:
        """Wait until a text message with these words came to a phone."""

        async def there() -> bool:
            await self.trio.tick("notify", "deliver-urgent-sms")
            return any(words in text for text in self.texts(phone))

        await self.trio.wait(there, f"{words} on {phone}")


async def people(trio: Trio) -> dict[str, Somebody]:
    """Those who can be on call, with phones, who chose quiet nights and no text messages."""
    found: dict[str, Somebody] = {}
    for login, role, place, phone in STAFF:
        body = {"login": f"{login}-1", "roles": [role], "places": [place]}
        account = await trio.done("members", "POST", "/v1/accounts", ADMINISTRATOR, body)
        number = {"phone": phone, "reason": "值班电话"}
        await trio.done("members", "PUT", f"/v1/people/{account['person']}/phone", ADMINISTRATOR, number)
        found[login] = Somebody(account["id"], frozenset({role}), (place,), (), account["person"])
        await trio.done("notify", "PUT", "/v1/preferences", found[login], QUIET)
    return found


async def enter(trio: Trio, place: str, *logins: str) -> None:
    """A roster of a place for the night, over midnight: the first, and the backup."""
    roster = await trio.done("members", "POST", "/v1/rosters", ADMINISTRATOR, {"area": place, "system": "governance"})
    shifts = [
        {"login": f"{login}-1", "start": "2026-11-28T20:00", "end": "2026-11-29T08:00", "backup": number > 0}
        for number, login in enumerate(logins)
    ]
    path = f"/v1/rosters/{roster['id']}/shifts"
    on_call = (await trio.done("members", "POST", path, ADMINISTRATOR, {"shifts": shifts}))["on_call"]
    assert len(on_call) == len(logins)


@pytest.fixture
async def night(world: World) -> AsyncIterator[Night]:
    """A city at night, with its places, its station, an item of danger, and rosters at two of three levels."""
    async with trio(world) as running:
        running.clock.set(SATURDAY)
        for code, level in AREAS.items():
            if code != GONE:
                body: dict[str, Any] = {"code": code, "level": level, "name": {"zh": code}}
                if (await running.ask("members", "POST", "/v1/areas", ADMINISTRATOR, body)).status_code != 201:
                    assert level in ("community", "grid")  # of a county that is not there
        body = {"kind": "station", "name": {"zh": "正阳社区服务站"}, "area": HOME}
        station = await running.done("members", "POST", "/v1/organisations", ADMINISTRATOR, body)
        centre = {"kind": "centre", "name": {"zh": "正阳便民服务中心"}, "area": STREET}
        above = await running.done("members", "POST", "/v1/organisations", ADMINISTRATOR, centre)
        hands = {
            "login": "hands-1",
            "roles": ["handler"],
            "places": [STREET],
            "organisations": [station["id"], above["id"]],
        }
        await running.done("members", "POST", "/v1/accounts", ADMINISTRATOR, hands)
        items = json.loads((CITY_DATA / "catalogue.json").read_text("utf-8"))["items"]
        gas = next(one for one in items if one["code"] == "GOV-GAS-LEAK")
        await running.done("requests", "PUT", "/v1/catalogue/GOV-GAS-LEAK", ADMINISTRATOR, gas)
        staff = await people(running)
        await enter(running, STREET, "night", "backup")
        await enter(running, CITY, "city")
        person = await running.done("members", "POST", "/v1/people", ADMINISTRATOR, {"phone": "13900000001"})
        resident = Somebody("account_resident", frozenset({"resident"}), (), (), person["id"])
        yield Night(running, staff, resident, station["id"])


async def test_who_is_on_call_accepts_within_minutes_and_the_resident_hears_it(night: Night) -> None:
    case = await night.file(night.resident)
    assert (case["accept_within_minutes"], case["handler"]["id"]) == (10, night.station)
    on_call = night.staff["night"]
    await night.hears(on_call, "case-called")
    await night.texted("13800000001", "您在值班")
    night.trio.clock.forward(3 * MINUTE)
    seen = await night.case(case["id"], on_call)
    assert (seen["inside"]["called"], "accept" in [step["step"] for step in seen["steps"]]) == ([on_call.person], True)
    taken = await night.trio.done("requests", "POST", f"/v1/requests/{case['id']}/accept", on_call)
    assert (taken["state"], taken["handler"]["tier"]) == ("accepted", "centre")
    await night.hears(night.resident, "danger-accepted")
    await night.texted("13900000001", "已接下您的紧急诉求")
    night.trio.clock.forward(60 * MINUTE)
    await night.trio.tick("requests", "case-clock")
    assert (await night.case(case["id"], on_call))["inside"]["calls"] == 1
    for login in ("backup", "county", "city"):
        assert await night.heard_of_calls(night.staff[login]) == {}


async def test_nobody_accepts_and_it_reaches_the_top_everybody_hears_it_once_per_step(night: Night) -> None:
    case = await night.file(night.resident)
    await night.hears(night.staff["night"], "case-called")
    # 23:04 the backup; 23:14 nobody is on call in the county, which its supervisor hears, and at once the city.
    for login, template in (("backup", "case-called"), ("city", "case-called")):
        night.trio.clock.forward(10 * MINUTE + timedelta(seconds=1))
        await night.trio.tick("requests", "case-clock")
        await night.hears(night.staff[login], template)
    await night.hears(night.staff["county"], "nobody-on-call")
    await night.texted("13800000001", "您在值班")
    await night.texted("13800000002", "您在值班")
    await night.texted("13800000003", f"{COUNTY}无人值班")
    await night.texted("13800000004", "您在值班")
    night.trio.clock.forward(10 * MINUTE + timedelta(seconds=1))
    await night.trio.tick("requests", "case-clock")
    await night.hears(night.staff["city"], "danger-escalated-to-you")
    await night.texted("13800000004", "至今无人接单")
    seen = await night.case(case["id"], night.staff["city"])
    assert (seen["level"], seen["inside"]["owner_place"], seen["inside"]["call_at"]) == (1, CITY, None)
    for _ in range(5):
        night.trio.clock.forward(10 * MINUTE)
        await night.trio.tick("requests", "case-clock")
    accepted = await night.trio.done("requests", "POST", f"/v1/requests/{case['id']}/accept", night.staff["city"])
    assert accepted["state"] == "accepted"
    await night.hears(night.staff["night"], "call-over")
    heard = {login: await night.heard_of_calls(actor) for login, actor in night.staff.items()}
    assert heard == {
        "night": {"case-called": 1, "call-over": 1},
        "backup": {"case-called": 1, "call-over": 1},
        "county": {"nobody-on-call": 1},
        "city": {"case-called": 1, "danger-escalated-to-you": 1},
    }


async def test_ten_neighbours_are_one_call_and_one_escalation(night: Night) -> None:
    first = await night.file(night.resident)
    await night.hears(night.staff["night"], "case-called")
    neighbours = []
    for number in range(9):
        phone = {"phone": f"139000000{number + 10}"}
        person = (await night.trio.done("members", "POST", "/v1/people", ADMINISTRATOR, phone))["id"]
        neighbours.append(Somebody(f"account_n{number}", frozenset({"resident"}), (), (), person))
        await night.file(neighbours[-1])
    for neighbour in neighbours:
        await night.hears(neighbour, "case-linked")
    for _ in range(8):
        night.trio.clock.forward(10 * MINUTE + timedelta(seconds=1))
        await night.trio.tick("requests", "case-clock")
    await night.hears(night.staff["city"], "danger-escalated-to-you")
    await night.trio.done("requests", "POST", f"/v1/requests/{first['id']}/accept", night.staff["city"])
    for neighbour in neighbours:
        await night.hears(neighbour, "danger-accepted")
    heard = {login: await night.heard_of_calls(actor) for login, actor in night.staff.items()}
    assert heard["city"] == {"case-called": 1, "danger-escalated-to-you": 1}
    assert heard["night"]["case-called"] == heard["backup"]["case-called"] == heard["county"]["nobody-on-call"] == 1


async def test_a_gap_is_heard_of_by_who_fills_the_roster_before_it_begins(night: Night) -> None:
    night.trio.clock.forward(11 * MINUTE)
    await night.trio.tick("members", "roster-watch")
    for login in ("night", "backup"):
        await night.hears(night.staff[login], "roster-gap")
