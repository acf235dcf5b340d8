"""Many sign-ins of staff at once: others do not wait for them, strangers wait or work, known devices get through."""

import asyncio
import hashlib
import itertools
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pyotp
import pytest
from prometheus_client import REGISTRY

from services.members.accounts.networks import model as networks
from services.members.accounts.passwords import model as passwords
from services.members.app import service
from tests.members.support import ADMINISTRATOR, COMMUNITY, GATEWAY_SAYS, HALL, OPERATOR, Clock, Members
from tests.support.world import keyed

STAFF = "/v1/sign-in/staff"
STATION = {"login": "station-1", "name": "李站长", "roles": ["handler"], "places": [COMMUNITY]}
ADDRESS, NEIGHBOUR = "203.0.113.7", "203.0.113.8"
ME = replace(OPERATOR, person="person_own")


async def attempt(members: Members, login: str = "nobody-here", address: str = ADDRESS, **more: Any) -> httpx.Response:
    body = {"login": login, "password": "wrong", "otp": "000000", **more}
    async with members.client() as client:
        return await client.post(STAFF, json=body, headers={GATEWAY_SAYS: address})


def proof(members: Members, account: dict[str, Any], **more: str) -> dict[str, str]:
    otp = pyotp.TOTP(account["totp_secret"]).at(members.clock.now())
    return {"login": account["login"], "password": account["password"], "otp": otp, **more}


async def opened(members: Members) -> dict[str, Any]:
    account: dict[str, Any] = (await members.post(ADMINISTRATOR, "/v1/accounts", STATION)).json()
    return account


def solved(problem: dict[str, Any]) -> str:
    challenge, bits = problem["params"]["challenge"], problem["params"]["bits"]
    tried = (f"{challenge}.{nonce}" for nonce in itertools.count())
    return next(one for one in tried if int.from_bytes(hashlib.sha256(one.encode()).digest(), "big") >> 256 - bits == 0)


@pytest.fixture
async def narrow(members: Members) -> AsyncIterator[Members]:
    """The same service with two requests at once, and one thread that hashes with a queue of four."""
    more = {"known_networks": f"{HALL}", "max_in_flight": 2, "hashing_threads": 1, "hashing_queue": 4}
    app = members.world.app(service, **more)
    async with app.router.lifespan_context(app):
        yield replace(members, app=app)


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> "Hashing":
    """Hashing that goes on only when a test lets it."""
    hashing = Hashing()
    monkeypatch.setattr(passwords, "fits", partial(hashing.fits, passwords.fits))
    return hashing


class Hashing:
    def __init__(self) -> None:
        self.go_on = threading.Event()

    def fits(self, real: Callable[[str, str | None], bool], password: str, known: str | None) -> bool:
        self.go_on.wait(30)
        return real(password, known)


async def until_refused(waiting: list[asyncio.Task[httpx.Response]], count: int) -> list[httpx.Response]:
    """The answers of those that are refused, while the others wait."""
    async with asyncio.timeout(20):
        while sum(one.done() for one in waiting) < count:  # noqa: ASYNC110 - nobody calls
            await asyncio.sleep(0.02)
    return [one.result() for one in waiting if one.done()]


async def test_who_waits_for_a_hash_holds_no_place_and_a_full_queue_refuses_sign_in_alone(
    narrow: Members, hashing: Hashing
) -> None:
    account = await opened(narrow)
    hashing.go_on.set()
    known = (await attempt(narrow, **proof(narrow, account))).json()["device_proof"]
    hashing.go_on.clear()
    flood = [asyncio.create_task(attempt(narrow, f"nobody-{number}", HALL)) for number in range(7)]
    refused = await until_refused(flood, 3)
    assert {(one.status_code, one.json()["code"], one.headers["Retry-After"]) for one in refused} == {
        (429, "sign-in-busy", "1")
    }
    own = asyncio.create_task(attempt(narrow, **{**proof(narrow, account), "device_proof": known}))
    for _ in range(5):
        areas = await narrow.get(ME, "/v1/areas")
        assert areas.status_code == 200, "others do not wait for those who wait for a hash"
    assert REGISTRY.get_sample_value("linli_http_in_flight") == 0
    assert not own.done(), "strangers leave a place in the queue to known devices"
    hashing.go_on.set()
    assert [one.status_code for one in await asyncio.gather(*flood)].count(401) == 4
    assert (await own).json()["code"] == "sign-in-wrong", "the one-time code was used before"


async def test_from_one_address_so_many_sign_ins_of_an_hour_are_looked_at_and_then_it_takes_work_or_a_wait(
    members: Members, clock: Clock
) -> None:
    for number in range(networks.FREE_SIGN_INS):
        assert (await attempt(members, f"nobody-{number}")).status_code == 401
    refused = await attempt(members, "nobody-last")
    assert (refused.status_code, refused.json()["code"]) == (429, "work-or-wait")
    assert 28 <= int(refused.headers["Retry-After"]) <= 30
    assert (await attempt(members, "nobody-last", NEIGHBOUR)).status_code == 401
    work = solved(refused.json())
    assert (await attempt(members, "nobody-else", work=work)).status_code == 429, "of another login"
    assert (await attempt(members, "nobody-last", work=work)).status_code == 401
    assert (await attempt(members, "nobody-last", work=work)).status_code == 429, "it was spent"
    clock.forward(seconds=60)
    assert (await attempt(members, "nobody-last")).status_code == 401, "who waits needs no work"


async def test_of_many_at_the_same_instant_no_more_are_looked_at(members: Members) -> None:
    flood = await asyncio.gather(*(attempt(members, f"nobody-{number}") for number in range(30)))
    assert [one.status_code for one in flood].count(401) <= networks.FREE_SIGN_INS
    assert {one.status_code for one in flood} <= {401, 429, 503}


async def test_the_same_key_again_is_another_attempt(members: Members) -> None:
    key = keyed()
    async with members.client() as client:
        body = {"login": "nobody-here", "password": "wrong", "otp": "000000"}
        headers = {GATEWAY_SAYS: ADDRESS, **key}
        answers = [await client.post(STAFF, json=body, headers=headers) for _ in range(6)]
    assert [one.status_code for one in answers] == [401] * 5 + [429]


async def test_in_a_minute_with_many_strangers_all_strangers_work_and_far_above_it_they_wait(
    members: Members, clock: Clock
) -> None:
    account = await opened(members)
    known = (await attempt(members, **proof(members, account))).json()["device_proof"]
    clock.forward(seconds=120 - clock.now().second)
    minute = {"_id": f"staff|{clock.now():%Y%m%d%H%M}"}
    await members.container.mongo.insert("counters", {**minute, "number": 60, "until": clock.now()})
    assert (await attempt(members, address=HALL)).json()["code"] == "work-or-wait"
    await members.container.mongo.update("counters", minute, {"$set": {"number": 600}})
    flooded = await attempt(members, "nobody-else")
    assert (flooded.status_code, flooded.json()["code"]) == (429, "sign-in-busy")
    assert (await attempt(members, **proof(members, account, device_proof=known))).status_code == 201


async def test_staff_who_come_from_a_known_network_do_not_wait_for_each_other(members: Members) -> None:
    answers = [await attempt(members, f"nobody-{number}", HALL) for number in range(networks.FREE_SIGN_INS + 5)]
    assert {one.status_code for one in answers} == {401}
