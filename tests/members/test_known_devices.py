"""Devices that are known: strangers lock each other out, and never the owner with a device that signed in before."""

from typing import Any

import httpx
import pyotp
import pytest

from services.members.accounts.devices.model import PROVEN_FOR
from tests.members.support import ADMINISTRATOR, COMMUNITY, GATEWAY_SAYS, PHONE, Clock, Members, other_than

CODES, TOKENS, STAFF, REFRESH = (f"/v1/sign-in/{name}" for name in ("codes", "tokens", "staff", "refresh"))
STATION = {"login": "station-1", "name": "李站长", "roles": ["handler"], "places": [COMMUNITY]}
MINE, THEIRS, OTHER_PHONE = "k7Qm2xWc0vT9aLzR", "attackers-own-id-1", "13800000002"
Outcome = tuple[int, str]


def outcome(answer: httpx.Response) -> Outcome:
    return answer.status_code, answer.json().get("code", "in")


class Owner:
    """Who has the phone and the account, with one device."""

    def __init__(self, members: Members) -> None:
        self.members = members
        self.account: dict[str, Any] = {}

    async def at_desk(self, proof: str | None = None, device: str = MINE, **wrong: str) -> httpx.Response:
        """Sign in as staff, with the right credentials but for what is wrong."""
        if not self.account:
            self.account = (await self.members.post(ADMINISTRATOR, "/v1/accounts", STATION)).json()
        otp = pyotp.TOTP(self.account["totp_secret"]).at(self.members.clock.now())
        body = {"login": self.account["login"], "password": self.account["password"], "otp": otp, "device": device}
        return await self.members.post(None, STAFF, {**body, **shown(proof), **wrong})

    async def by_phone(self, proof: str | None = None, device: str = MINE, **wrong: str) -> httpx.Response:
        """Sign in with the code that came last."""
        code = wrong or {"code": await self.members.code_for(PHONE)}
        return await self.members.post(None, TOKENS, {"phone": PHONE, "device": device, **shown(proof), **code})

    async def asks(self, proof: str | None = None, device: str = MINE, phone: str = PHONE) -> Outcome:
        """Ask for a code."""
        body = {"phone": phone, "device": device, **shown(proof)}
        answer = await self.members.post(None, CODES, body)
        return answer.status_code, answer.json().get("code", "sent")


def shown(proof: str | None) -> dict[str, str]:
    return {"device_proof": proof} if proof else {}


@pytest.fixture
def owner(members: Members) -> Owner:
    return Owner(members)


async def known_at_desk(owner: Owner, clock: Clock) -> str:
    """A sign-in an hour ago, and the proof that the device got."""
    clock.forward(seconds=-3600)
    proof = str((await owner.at_desk()).json()["device_proof"])
    clock.back()
    return proof


async def known_by_phone(owner: Owner, clock: Clock) -> str:
    clock.forward(seconds=-3600)
    assert await owner.asks() == (202, "sent")
    proof = str((await owner.by_phone()).json()["device_proof"])
    clock.back()
    return proof


async def locked_by_strangers(owner: Owner) -> None:
    for _ in range(5):
        assert outcome(await owner.at_desk(device=THEIRS, password="wrong")) == (401, "sign-in-wrong")
    assert outcome(await owner.at_desk(device=THEIRS)) == (429, "too-many-attempts")


async def phone_locked_by_strangers(owner: Owner) -> str:
    """Strangers have a code sent and guess; the right code."""
    assert await owner.asks(device=THEIRS) == (202, "sent")
    right = await owner.members.code_for(PHONE)
    for _ in range(5):
        assert outcome(await owner.by_phone(device=THEIRS, code=other_than(right))) == (401, "code-wrong")
    assert outcome(await owner.by_phone(device=THEIRS, code=right)) == (429, "too-many-wrong-codes")
    return right


async def test_strangers_lock_a_login_and_its_owner_signs_in_with_a_known_device(owner: Owner, clock: Clock) -> None:
    proof = await known_at_desk(owner, clock)
    await locked_by_strangers(owner)
    assert outcome(await owner.at_desk(proof)) == (201, "in")
    assert outcome(await owner.at_desk(device=THEIRS)) == (429, "too-many-attempts"), "they stay locked"


async def test_strangers_lock_a_phone_and_its_owner_gets_a_code_and_signs_in_with_a_known_device(
    owner: Owner, clock: Clock
) -> None:
    proof = await known_by_phone(owner, clock)
    await phone_locked_by_strangers(owner)
    assert await owner.asks() == (429, "too-many-wrong-codes")
    assert await owner.asks(proof) == (202, "sent")
    assert outcome(await owner.by_phone(proof)) == (201, "in")
    assert outcome(await owner.by_phone(device=THEIRS, code="000000")) == (429, "too-many-wrong-codes")


async def test_strangers_who_ask_for_all_codes_of_a_phone_leave_its_owner_some(
    owner: Owner, members: Members, clock: Clock
) -> None:
    proof = await known_by_phone(owner, clock)
    for number in range(30):
        async with members.client() as client:
            headers = {GATEWAY_SAYS: f"203.0.113.{number}"}
            answer = await client.post(CODES, json={"phone": PHONE}, headers=headers)
            clock.forward(seconds=61)
            if answer.status_code == 429:
                break
    assert await owner.asks(device=THEIRS) == (429, "too-many-codes")
    assert await owner.asks(proof) == (202, "sent")
    assert outcome(await owner.by_phone(proof)) == (201, "in")


async def test_a_stolen_proof_guesses_five_times_and_is_locked_by_itself(owner: Owner, clock: Clock) -> None:
    proof = await known_at_desk(owner, clock)
    for _ in range(5):
        assert outcome(await owner.at_desk(proof, password="wrong")) == (401, "sign-in-wrong")
    assert outcome(await owner.at_desk(proof)) == (429, "too-many-attempts")
    assert outcome(await owner.at_desk()) == (201, "in"), "who has no proof is one of the strangers, who did nothing"


async def test_a_stolen_proof_guesses_codes_five_times_and_is_locked_by_itself(owner: Owner, clock: Clock) -> None:
    proof = await known_by_phone(owner, clock)
    assert await owner.asks(proof) == (202, "sent")
    right = await owner.members.code_for(PHONE)
    for _ in range(5):
        assert outcome(await owner.by_phone(proof, code=other_than(right))) == (401, "code-wrong")
    assert outcome(await owner.by_phone(proof, code=right)) == (429, "too-many-wrong-codes")
    assert await owner.asks(proof) == (429, "too-many-wrong-codes")
    assert outcome(await owner.by_phone(code=right)) == (201, "in")


@pytest.mark.parametrize("which", ["forged", "early", "of another device", "of another account", "old"])
async def test_a_proof_that_is_none_counts_as_none(owner: Owner, members: Members, clock: Clock, which: str) -> None:
    proof = await known_at_desk(owner, clock)
    at, mark = proof.split(".")
    last = "0" if mark[-1] != "0" else "1"
    others = str((await members.signed_in(OTHER_PHONE))["device_proof"])
    if which == "old":
        clock.forward(seconds=int(PROVEN_FOR.total_seconds()))
    shown = {
        "forged": (f"{at}.{mark[:-1]}{last}", MINE),
        "early": (f"{int(at) + 1}.{mark}", MINE),
        "of another device": (proof, THEIRS),
        "of another account": (others, MINE),
        "old": (proof, MINE),
    }[which]
    await locked_by_strangers(owner)
    assert outcome(await owner.at_desk(*shown)) == (429, "too-many-attempts")


async def test_a_proof_of_another_phone_counts_as_none(owner: Owner, members: Members, clock: Clock) -> None:
    await known_by_phone(owner, clock)
    others = str((await members.signed_in(OTHER_PHONE))["device_proof"])
    right = await phone_locked_by_strangers(owner)
    assert outcome(await owner.by_phone(others, code=right)) == (429, "too-many-wrong-codes")
    assert await owner.asks(others) == (429, "too-many-wrong-codes")


async def test_a_proof_tells_nothing_of_a_login_or_a_phone(owner: Owner, members: Members, clock: Clock) -> None:
    proof = await known_at_desk(owner, clock)
    for wrong in ({"login": "nobody-here"}, {"password": "wrong"}):
        refused = await owner.at_desk(others_proof(proof), **wrong)
        assert (outcome(refused), "params" in refused.json()) == ((401, "sign-in-wrong"), False)
    await members.signed_in()
    body = {"code": "000000", "device": MINE, "device_proof": proof}
    answers = [await members.post(None, TOKENS, {"phone": phone, **body}) for phone in (PHONE, OTHER_PHONE)]
    assert answers[0].json() == answers[1].json()


def others_proof(proof: str) -> str:
    return f"{proof.split('.')[0]}.{'0' * 40}"


async def test_after_another_session_was_ended_its_device_is_a_stranger_and_the_own_one_is_known_again(
    owner: Owner, members: Members, clock: Clock
) -> None:
    lost = await known_at_desk(owner, clock)
    here = (await owner.at_desk(device="the-phone-at-hand")).json()
    sessions = (await members.with_token("GET", "/v1/sessions", here["access_token"])).json()["items"]
    (other,) = [one["id"] for one in sessions if not one["here"]]
    assert (await members.with_token("DELETE", f"/v1/sessions/{other}", here["access_token"])).status_code == 204
    again = (await members.post(None, REFRESH, {"refresh_token": here["refresh_token"]})).json()
    await locked_by_strangers(owner)
    clock.forward(seconds=31)
    assert outcome(await owner.at_desk(lost)) == (429, "too-many-attempts")
    assert outcome(await owner.at_desk(again["device_proof"], "the-phone-at-hand")) == (201, "in")


async def test_after_a_token_was_found_in_two_hands_no_device_is_known(
    owner: Owner, members: Members, clock: Clock
) -> None:
    clock.forward(seconds=-3600)
    copied = (await owner.at_desk()).json()
    refreshed = (await members.post(None, REFRESH, {"refresh_token": copied["refresh_token"]})).json()
    clock.forward(seconds=60)
    assert outcome(await members.post(None, REFRESH, {"refresh_token": copied["refresh_token"]})) == (
        401,
        "session-over",
    )
    clock.back()
    await locked_by_strangers(owner)
    for proof in (copied["device_proof"], refreshed["device_proof"]):
        assert outcome(await owner.at_desk(proof)) == (429, "too-many-attempts")
    clock.forward(seconds=900)
    later = (await owner.at_desk()).json()["device_proof"]
    assert outcome(await members.post(None, REFRESH, {"refresh_token": copied["refresh_token"]}))[0] == 401
    clock.forward(seconds=60)
    await locked_by_strangers(owner)
    assert outcome(await owner.at_desk(later)) == (201, "in"), "the old token again does no new harm"


async def test_a_proof_holds_after_signing_out(owner: Owner, members: Members, clock: Clock) -> None:
    tokens = (await owner.at_desk()).json()
    assert (await members.with_token("DELETE", "/v1/sign-in", tokens["access_token"])).status_code == 204
    await locked_by_strangers(owner)
    clock.forward(seconds=31)
    assert outcome(await owner.at_desk(tokens["device_proof"])) == (201, "in")


@pytest.mark.parametrize("none", ["", "x", "1796040000000", "1796040000000.xyz", {"$gt": ""}])
async def test_what_is_not_shaped_as_a_proof_is_reported(owner: Owner, none: Any) -> None:
    assert outcome(await owner.at_desk(device_proof=none)) == (422, "invalid")
