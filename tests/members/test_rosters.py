"""Duty rosters through the service: who enters them, who reads them, and that a gap is reported."""

from datetime import timedelta
from typing import Any

import pytest

from services.chassis.domain.scope import Actor
from services.chassis.schedule.timers import sweep
from services.members.rosters import timers
from services.members.rosters.metrics import gaps_reported
from services.members.rosters.model import Roster
from services.members.rosters.timers import drop_shifts, roster_watch
from tests.members.support import (
    ADMINISTRATOR,
    COMMUNITY,
    COUNTY,
    DISPATCHER,
    FAR_COMMUNITY,
    FAR_DISPATCHER,
    STREET,
    Clock,
    Members,
)

STREET_HANDLER = Actor("account_handler", frozenset({"handler"}), (STREET,), ("organisation_1",))
WANTED = {"area": STREET, "system": "governance"}


async def opened(members: Members, login: str, role: str, place: str) -> dict[str, Any]:
    body = {"login": login, "roles": [role], "places": [place]}
    answer = await members.post(ADMINISTRATOR, "/v1/accounts", body)
    assert answer.status_code == 201, answer.text
    account: dict[str, Any] = answer.json()
    return account


async def started(members: Members) -> str:
    answer = await members.post(DISPATCHER, "/v1/rosters", WANTED)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def night(login: str, *, backup: bool = False) -> dict[str, Any]:
    """A night over the end of a month, as it is typed."""
    return {"login": login, "start": "2027-01-31T20:00", "end": "2027-02-01 08:00", "backup": backup}


async def test_a_place_has_one_roster_for_a_service_system(members: Members) -> None:
    first, again = await started(members), await started(members)
    assert first == again
    other = await members.post(DISPATCHER, "/v1/rosters", WANTED | {"system": "health"})
    assert other.json()["id"] != first
    listed = (await members.get(DISPATCHER, "/v1/rosters", system="governance", under=STREET)).json()["items"]
    assert [one["id"] for one in listed] == [first]


async def test_the_dispatcher_enters_who_is_on_call_in_the_time_of_the_city(members: Members) -> None:
    first, second = (
        await opened(members, "night-one", "dispatcher", STREET),
        await opened(members, "night-two", "supervisor", COUNTY),
    )
    roster = await started(members)
    entered = await members.post(
        DISPATCHER, f"/v1/rosters/{roster}/shifts", {"shifts": [night("night-one"), night("night-two", backup=True)]}
    )
    assert entered.status_code == 200, entered.text
    shifts = entered.json()["shifts"]
    assert [(one["account"], one["person"], one["backup"]) for one in shifts] == [
        (first["id"], first["person"], False),
        (second["id"], second["person"], True),
    ]
    assert {(one["start"], one["end"]) for one in shifts} == {("2027-01-31T12:00:00Z", "2027-02-01T00:00:00Z")}
    assert entered.json()["on_call"] == []
    async with members.client(DISPATCHER) as client:
        left = await client.delete(f"/v1/rosters/{roster}/shifts/{shifts[0]['id']}")
        gone = await client.delete(f"/v1/rosters/{roster}/shifts/{shifts[0]['id']}")
    assert [one["account"] for one in left.json()["shifts"]] == [second["id"]]
    assert (gone.status_code, gone.json()["code"]) == (409, "shift-unknown")


async def test_on_call_are_open_accounts_of_who_takes_cases_on_there(members: Members) -> None:
    roster = await started(members)
    for login, role, place in (
        ("op", "operator", STREET),
        ("far", "handler", FAR_COMMUNITY),
        ("low", "handler", COMMUNITY),
    ):
        await opened(members, f"{login}-one", role, place)
    closed = await opened(members, "closed-one", "dispatcher", STREET)
    await members.post(ADMINISTRATOR, f"/v1/accounts/{closed['id']}/close")
    for login in ("op-one", "far-one", "low-one", "closed-one", "nobody-one"):
        refused = await members.post(DISPATCHER, f"/v1/rosters/{roster}/shifts", {"shifts": [night(login)]})
        assert (refused.status_code, refused.json()["code"]) == (422, "not-staff-there"), login
        assert login in refused.json()["detail"]


async def test_a_roster_is_edited_in_its_place_only_and_all_shifts_are_entered_or_none(members: Members) -> None:
    await opened(members, "night-one", "dispatcher", STREET)
    roster = await started(members)
    path = f"/v1/rosters/{roster}/shifts"
    both = {"shifts": [night("night-one"), night("night-one", backup=True)]}
    refused = await members.post(DISPATCHER, path, both)
    assert (refused.status_code, refused.json()["code"]) == (409, "on-call-twice")
    assert "2027-01-31T20:00+08:00" in refused.json()["detail"]
    assert (await members.get(STREET_HANDLER, f"/v1/rosters/{roster}")).json()["shifts"] == []
    one = {"shifts": [night("night-one")]}
    assert (await members.post(FAR_DISPATCHER, path, one)).status_code == 404
    assert (await members.post(STREET_HANDLER, path, one)).status_code == 403
    assert (await members.post(FAR_DISPATCHER, "/v1/rosters", WANTED | {"system": "health"})).status_code == 403
    assert (await members.get(FAR_DISPATCHER, f"/v1/rosters/{roster}")).status_code == 404


async def test_who_is_on_call_is_replaced_in_one_write_and_where_that_is_refused_stays(members: Members) -> None:
    await opened(members, "night-one", "dispatcher", STREET)
    other = await opened(members, "night-two", "dispatcher", STREET)
    roster = await started(members)
    path = f"/v1/rosters/{roster}/shifts"
    before = (await members.post(DISPATCHER, path, {"shifts": [night("night-one")]})).json()["shifts"]
    swap = {"shifts": [night("night-two")], "instead_of": [before[0]["id"]]}
    for wrong, code in (
        (swap | {"instead_of": ["shift_nowhere"]}, "shift-unknown"),
        (swap | {"shifts": [night("night-two"), night("night-two")]}, "shifts-overlap"),
    ):
        assert (await members.post(DISPATCHER, path, wrong)).json()["code"] == code
        assert (await members.get(DISPATCHER, f"/v1/rosters/{roster}")).json()["shifts"] == before
    swapped = await members.post(DISPATCHER, path, swap)
    assert [one["account"] for one in swapped.json()["shifts"]] == [other["id"]]
    written = [one.type.rpartition(".")[2] for one in await members.history("rosters", roster)]
    assert written[-2:] == ["ShiftsRemoved", "ShiftsAdded"]


@pytest.mark.parametrize(
    "wrong",
    [{"start": "tomorrow"}, {"start": 5}, {"start": "2027-01-31"}, {"end": "1600-01-01T00:00"}, {"login": ""}],
)
async def test_a_shift_that_is_none_is_refused(members: Members, wrong: dict[str, Any]) -> None:
    roster = await started(members)
    body = {"shifts": [night("night-one") | wrong]}
    refused = await members.post(DISPATCHER, f"/v1/rosters/{roster}/shifts", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


async def test_who_leaves_is_on_call_no_more_and_the_gap_is_seen(members: Members) -> None:
    left, moved = (
        await opened(members, "left-one", "dispatcher", STREET),
        await opened(members, "moved-one", "supervisor", COUNTY),
    )
    await opened(members, "stays-one", "dispatcher", STREET)
    roster = await started(members)
    days = [
        {"login": login, "start": f"2027-03-0{day}T08:00", "end": f"2027-03-0{day}T20:00"}
        for day, login in enumerate(("left-one", "moved-one", "stays-one"), 1)
    ]
    path = f"/v1/rosters/{roster}"
    entered = (await members.post(DISPATCHER, f"{path}/shifts", {"shifts": days})).json()["shifts"]
    await drop_shifts(members.container)
    assert len((await members.get(DISPATCHER, path)).json()["shifts"]) == 3
    await members.post(ADMINISTRATOR, f"/v1/accounts/{left['id']}/close")
    far = {"roles": ["supervisor"], "places": [FAR_COMMUNITY]}
    assert (await members.put(ADMINISTRATOR, f"/v1/accounts/{moved['id']}/roles", far)).status_code == 200
    for _ in range(2):
        await drop_shifts(members.container)
    assert (await members.get(DISPATCHER, path)).json()["shifts"] == entered[2:]
    assert [one.type.rpartition(".")[2] for one in await members.history("rosters", roster)].count("ShiftsRemoved") == 1


async def test_a_roster_that_cannot_be_read_does_not_keep_who_left_on_call_in_the_others(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "_READ", 1)
    left = await opened(members, "left-one", "dispatcher", STREET)
    rosters = []
    for system in ("governance", "health", "labour"):
        answer = await members.post(DISPATCHER, "/v1/rosters", WANTED | {"system": system})
        rosters.append(str(answer.json()["id"]))
        path = f"/v1/rosters/{rosters[-1]}/shifts"
        assert (await members.post(DISPATCHER, path, {"shifts": [night("left-one")]})).status_code == 200
    broken, *whole = sorted(rosters)
    found = Roster.collection()
    await members.container.mongo.update(found, {"_id": broken}, {"$set": {"state.shifts.0.start": "never"}})
    await members.post(ADMINISTRATOR, f"/v1/accounts/{left['id']}/close")
    await drop_shifts(members.container)
    for roster in whole:
        assert (await members.get(DISPATCHER, f"/v1/rosters/{roster}")).json()["shifts"] == []


async def test_who_is_on_call_now_and_the_gaps_are_shown_and_a_gap_is_reported(members: Members, clock: Clock) -> None:
    account = await opened(members, "night-one", "dispatcher", STREET)
    roster = await started(members)
    now = clock.now()
    shift = {"login": "night-one", "start": (now - timedelta(hours=1)).isoformat()}
    shift["end"] = (now + timedelta(hours=5)).isoformat()
    shown = (await members.post(DISPATCHER, f"/v1/rosters/{roster}/shifts", {"shifts": [shift]})).json()
    assert [one["account"] for one in shown["on_call"]] == [account["id"]]
    assert [gap["start"] for gap in shown["gaps"]] == [shown["shifts"][0]["end"]]
    assert (await sweep(roster_watch, members.container)).count == 0
    clock.forward(seconds=601)
    counted = gaps_reported._value.get()
    assert (await sweep(roster_watch, members.container)).count == 1
    assert gaps_reported._value.get() == counted + 1
    assert (await sweep(roster_watch, members.container)).count == 0
    last = (await members.history("rosters", roster))[-1]
    assert last.type == "linli.members.RosterGapFound"
    assert (last.data["area_name"]["zh"], last.data["end"]) == ("正阳街道", None)
