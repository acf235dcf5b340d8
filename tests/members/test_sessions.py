"""One's sessions: where one is signed in and with what, and how one ends there from here."""

import jwt
import pytest

from tests.members.support import PHONE, Clock, Members

SESSIONS = "/v1/sessions"
PHONE_APP, BROWSER = "Mozilla/5.0 (Linux; Android 14; SM-G991B) Chrome/120.0", "Mozilla/5.0 (X11; Linux) Firefox/121.0"


async def enter(members: Members, device: str | None = None, phone: str = PHONE) -> dict[str, str]:
    """The tokens of a sign-in with a device that calls itself so."""
    headers = {b"user-agent": device.encode()} if device is not None else {}
    async with members.client() as client:
        assert (await client.post("/v1/sign-in/codes", json={"phone": phone})).status_code == 202
        body = {"phone": phone, "code": await members.code_for(phone)}
        answer = await client.post("/v1/sign-in/tokens", json=body, headers=headers)
    tokens: dict[str, str] = answer.json()
    return tokens


async def events(members: Members, tokens: dict[str, str]) -> list[str]:
    """What is recorded of the session of these tokens, by the names of its events."""
    id = jwt.decode(tokens["access_token"], options={"verify_signature": False})["sid"]
    return [one.type.rpartition(".")[2] for one in await members.history("sessions", id)]


async def test_one_sees_ones_own_sessions_with_their_devices_and_nobody_elses(members: Members, clock: Clock) -> None:
    clock.forward(seconds=-61)  # a token of tomorrow would not be taken
    await enter(members, PHONE_APP)
    await enter(members, PHONE_APP, "13800000002")
    clock.back()
    here = await enter(members, BROWSER)
    listed = (await members.with_token("GET", SESSIONS, here["access_token"])).json()
    assert [(one["here"], one["device"], one["method"]) for one in listed["items"]] == [
        (True, BROWSER, "phone"),
        (False, PHONE_APP, "phone"),
    ]
    assert listed["next"] is None


async def test_sessions_come_a_page_at_a_time_and_those_that_have_run_out_are_not_shown(
    members: Members, clock: Clock
) -> None:
    for ago in (122, 61, 0):
        clock.back()
        clock.forward(seconds=-ago)
        last = await enter(members)
    first = (await members.with_token("GET", f"{SESSIONS}?limit=2", last["access_token"])).json()
    second = (await members.with_token("GET", f"{SESSIONS}?limit=2&after={first['next']}", last["access_token"])).json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (2, 1, None)
    clock.forward(seconds=30 * 24 * 3600 - 90)  # the first has been idle for thirty days, the others not quite
    listed = (await members.with_token("GET", SESSIONS, last["access_token"])).json()
    assert [one["id"] for one in listed["items"]] == [one["id"] for one in first["items"]]


async def test_a_session_is_ended_from_another_one_and_only_by_its_owner(members: Members, clock: Clock) -> None:
    clock.forward(seconds=-61)
    lost, stranger = await enter(members), await enter(members, phone="13800000002")
    clock.back()
    here = await enter(members)
    listed = (await members.with_token("GET", SESSIONS, here["access_token"])).json()["items"]
    gone = next(one["id"] for one in listed if not one["here"])
    refused = await members.with_token("DELETE", f"{SESSIONS}/{gone}", stranger["access_token"])
    assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
    for _ in range(2):
        assert (await members.with_token("DELETE", f"{SESSIONS}/{gone}", here["access_token"])).status_code == 204
    answer = await members.post(None, "/v1/sign-in/refresh", {"refresh_token": lost["refresh_token"]})
    assert (answer.status_code, answer.json()["code"]) == (401, "session-over")
    assert await events(members, lost) == ["SessionStarted", "SessionEnded"]
    listed = (await members.with_token("GET", SESSIONS, here["access_token"])).json()["items"]
    assert [one["here"] for one in listed] == [True]


async def test_a_device_that_was_not_used_before_is_noted_and_a_known_one_is_not(
    members: Members, clock: Clock
) -> None:
    noted = []
    for device in (PHONE_APP, PHONE_APP.replace("120", "121"), BROWSER, PHONE_APP, None):
        noted.append("NewDeviceUsed" in await events(members, await enter(members, device)))
        clock.forward(seconds=61)
    assert noted == [False, False, True, False, True]  # the test's own client has a name too


@pytest.mark.parametrize("device", ["x" * 5_000, "手机 📱", ""])
async def test_whatever_a_device_calls_itself_lets_its_owner_in(members: Members, device: str) -> None:
    here = await enter(members, device)
    listed = (await members.with_token("GET", SESSIONS, here["access_token"])).json()["items"]
    assert [one["device"] for one in listed] == [device[:300] or None]


async def test_what_a_device_calls_itself_is_nowhere_in_clear(members: Members) -> None:
    await enter(members, BROWSER)
    assert "Firefox" not in str(await members.container.mongo.find("sessions", {}, limit=10))


async def test_the_first_sign_in_keeps_the_language_that_it_was_asked_in(members: Members) -> None:
    async with members.client() as client:
        english = {"Accept-Language": "en-GB,en;q=0.9"}
        await client.post("/v1/sign-in/codes", json={"phone": PHONE}, headers=english)
        body = {"phone": PHONE, "code": await members.code_for(PHONE)}
        assert (await client.post("/v1/sign-in/tokens", json=body, headers=english)).status_code == 201
    (account,) = await members.container.mongo.find("accounts", {}, limit=2)
    (code,) = await members.container.mongo.find("phonecodes", {}, limit=2)
    assert (account["history"][0]["data"]["language"], code["history"][0]["data"]["language"]) == ("en", "en")
