"""Steps: who may take which, what is said where one may not, and how a case comes to its end."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.chassis.domain.refusals import Refusal
from services.chassis.domain.scope import Actor
from services.chassis.domain.values import now
from services.requests.app import service
from services.requests.cases.intake import commands as intake
from services.requests.cases.model import REOPENABLE
from services.requests.cases.steps.commands import STEP_USE_CASES
from services.requests.cases.steps.model import STEPS, Step, may
from tests.requests.town import (
    CENTRE,
    CENTRE_HANDLER,
    COUNTY_OFFICE,
    DEPARTMENT,
    DISPATCHER,
    LEADER,
    NEIGHBOUR,
    OPERATOR,
    RESIDENT,
    STATION,
    STATION_HANDLER,
    SUPERVISOR,
    Town,
)

ANSWER = {"outcome": "fixed", "answer": "灯已换好。"}


async def resolved(town: Town, handler: Actor = STATION_HANDLER, **more: Any) -> dict[str, Any]:
    filed = await town.file(**more)
    await town.step(handler, filed, "accept")
    await town.step(handler, filed, "start")
    return await town.step(handler, filed, "resolve", ANSWER)


def names(case: dict[str, Any]) -> set[str]:
    return {step["step"] for step in case["steps"]}


def test_every_step_of_the_table_has_its_use_case_and_its_route() -> None:
    assert {*STEP_USE_CASES} == {*STEPS} == {*Step}
    routes = {(one.method, f"{table.prefix}{one.path}") for table in service.routes for one in table.routes}
    assert {(rule.method, f"/v1/requests/{{case_id}}/{step}") for step, rule in STEPS.items()} <= routes


async def test_a_case_goes_from_filing_to_rating(town: Town) -> None:
    filed = await town.file()
    states = [(await town.step(STATION_HANDLER, filed, step))["state"] for step in ("accept", "start")]
    paused = await town.step(STATION_HANDLER, filed, "pause", {"reason": "等配件"})
    resumed = await town.step(STATION_HANDLER, filed, "resume")
    done = await town.step(STATION_HANDLER, filed, "resolve", ANSWER)
    called = await town.step(OPERATOR, filed, "call-back", {"reached": True, "solved": True, "satisfied": True})
    rated = await town.step(RESIDENT, filed, "rate", {"score": 5, "solved": True})
    states += [case["state"] for case in (paused, resumed, done, called, rated)]
    assert states == ["accepted", "in_progress", "suspended", "in_progress", "resolved", "callback", "closed"]
    assert (rated["answer"], rated["score"], rated["closed_because"]) == ("灯已换好。", 5, "fixed")


async def test_each_actor_sees_the_steps_that_are_open_to_them(town: Town) -> None:
    filed = await town.file()
    path = f"/v1/requests/{filed['id']}"
    assert names(filed) == {"cancel", "comment", "urge"}
    assert names((await town.get(STATION_HANDLER, path)).json()) == {"accept", "return", "comment"}
    assert names((await town.get(DISPATCHER, path)).json()) == {"reject", "team", "handler", "comment"}
    accept = (await town.get(STATION_HANDLER, path)).json()["steps"][0]
    assert accept == {
        "step": "accept",
        "name": {"zh": "接单", "en": "accept"},
        "method": "POST",
        "path": f"{path}/accept",
        "needs": [],
    }


def test_a_step_names_the_fields_that_its_body_must_have(town: Town) -> None:
    described = town.app.openapi()
    for step, rule in STEPS.items():
        route = described["paths"][f"/v1/requests/{{case_id}}/{step}"][rule.method.lower()]
        schema = route.get("requestBody", {"content": {"application/json": {"schema": {}}}})
        named = schema["content"]["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
        wanted = described["components"]["schemas"][named].get("required", []) if named else []
        assert sorted(rule.needs) == sorted(wanted), step


async def test_a_step_that_the_state_does_not_allow_says_which_are(town: Town) -> None:
    filed = await town.file()
    path = f"/v1/requests/{filed['id']}/start"
    refused = await town.post(STATION_HANDLER, path, headers={"Accept-Language": "en"})
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "step-not-allowed")
    assert problem["params"] == {"step": "start", "state": "dispatched", "allowed": ["accept", "return", "comment"]}
    assert problem["detail"] == (
        "The case is 'Dispatched' now, which does not allow 'start'. What you may do now: accept, return, comment."
    )
    chinese = (await town.post(STATION_HANDLER, path)).json()["detail"]
    assert chinese == "现在的状态是“已派单”，不能“开始办理”；现在可以：接单、退单、留言。"
    assert len(await town.events(filed["id"])) == 3


async def test_a_case_that_somebody_else_has_may_be_seen_but_not_worked_on(town: Town) -> None:
    filed = await town.file()
    refused = await town.post(CENTRE_HANDLER, f"/v1/requests/{filed['id']}/accept")
    assert (refused.status_code, refused.json()["code"]) == (403, "not-your-step")


@pytest.mark.parametrize("step", [step for step in Step if "resident" in may(step)])
async def test_another_residents_case_is_not_there(town: Town, step: Step) -> None:
    filed = await town.file()
    bodies: dict[Step, dict[str, Any]] = {
        Step.RATE: {"score": 1, "solved": False},
        Step.REOPEN: {"reason": "x"},
        Step.COMMENT: {"text": "x"},
    }
    body = bodies.get(step, {})
    answer = await town.call(NEIGHBOUR, STEPS[step].method, f"/v1/requests/{filed['id']}/{step}", json=body)
    assert answer.status_code == 404


async def test_a_stale_if_match_changes_nothing(town: Town) -> None:
    filed = await town.file()
    path = f"/v1/requests/{filed['id']}/accept"
    refused = await town.post(STATION_HANDLER, path, headers={"If-Match": '"1"'})
    taken = await town.post(STATION_HANDLER, path, headers={"If-Match": f'"{filed["version"]}"'})
    assert (refused.status_code, refused.json()["code"]) == (412, "stale")
    assert taken.status_code == 200


async def test_a_resident_urges_once_a_day(town: Town) -> None:
    filed = await town.file()
    assert (await town.step(RESIDENT, filed, "urge"))["urged"] == 1
    again = await town.post(RESIDENT, f"/v1/requests/{filed['id']}/urge")
    assert (again.status_code, again.json()["code"]) == (429, "urged-today")
    assert 86_000 < int(again.headers["Retry-After"]) <= 86_400


async def test_a_reopened_case_goes_to_somebody_who_has_not_had_it_with_new_limits(town: Town) -> None:
    done = await resolved(town)
    reopened = await town.step(RESIDENT, done, "reopen", {"reason": "又坏了"})
    assert (reopened["state"], reopened["handler"]["id"], reopened["reopened"]) == ("dispatched", CENTRE, 1)
    assert reopened["due_at"] >= done["due_at"]
    assert (await town.events(done["id"]))[-3:] == ["CaseReopened", "LimitsSet", "CaseDispatched"]
    assert reopened["answer"] == "灯已换好。"


async def test_a_case_is_reopened_twice_at_most_and_ends_with_the_supervisor(town: Town) -> None:
    case = await resolved(town)
    handlers = []
    for _ in range(2):
        case = await town.step(RESIDENT, case, "reopen", {"reason": "没解决"})
        handlers.append(case["handler"]["id"])
        handler = Actor("account_h", frozenset({"handler"}), (), (case["handler"]["id"],))
        await town.step(handler, case, "accept")
        case = await town.step(handler, case, "resolve", ANSWER)
    assert handlers == [CENTRE, DEPARTMENT]
    refused = await town.post(RESIDENT, f"/v1/requests/{case['id']}/reopen", {"reason": "还是没有"})
    assert (refused.status_code, refused.json()["code"]) == (409, "reopened-too-often")


async def test_where_no_other_handler_is_left_the_supervisor_takes_a_reopened_case(town: Town) -> None:
    done = await resolved(town, item="FORM", answers={"age": 1})
    reopened = await town.step(RESIDENT, done, "reopen", {"reason": "没解决"})
    assert (reopened["handler"]["id"], reopened["handler"]["tier"]) == (COUNTY_OFFICE, "supervision")


async def test_the_time_for_reopening_counts_from_the_resolution_only(town: Town) -> None:
    done = await resolved(town)
    await town.step(RESIDENT, done, "comment", {"text": "谢谢"})
    await town.step(RESIDENT, done, "rate", {"score": 4, "solved": True})
    late = town.context(RESIDENT, now() + REOPENABLE + timedelta(minutes=1))
    with pytest.raises(Refusal) as refused:
        await intake.reopen(late, done["id"], intake.ReopenCase(reason="晚了"))
    assert refused.value.code() == "reopen-too-late"
    in_time = town.context(RESIDENT, now() + REOPENABLE - timedelta(minutes=1))
    assert (await intake.reopen(in_time, done["id"], intake.ReopenCase(reason="还在期限内"))).reopened == 1


async def test_a_case_is_rated_once(town: Town) -> None:
    done = await resolved(town)
    rated = await town.step(RESIDENT, done, "rate", {"score": 2, "solved": False})
    assert rated["state"] == "resolved"
    refused = await town.post(RESIDENT, f"/v1/requests/{done['id']}/rate", {"score": 5, "solved": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "rated-already")
    assert (
        await town.post(RESIDENT, f"/v1/requests/{done['id']}/rate", {"score": 6, "solved": True})
    ).status_code == 422


async def test_a_case_that_came_back_twice_is_the_supervisors_who_gives_it_for_good(town: Town) -> None:
    filed = await town.file()
    back = await town.step(STATION_HANDLER, filed, "return", {"reason": "不归我们管"})
    assert (back["state"], back["handler"]) == ("returned", None)
    await town.step(DISPATCHER, filed, "handler", {"organisation_id": CENTRE})
    twice = await town.step(CENTRE_HANDLER, filed, "return", {"reason": "也不归我们"})
    assert twice["level"] == 1
    seen = (await town.get(SUPERVISOR, f"/v1/requests/{filed['id']}")).json()
    assert (seen["inside"]["returns"], seen["inside"]["owner_id"]) == (2, COUNTY_OFFICE)
    path = f"/v1/requests/{filed['id']}/handler"
    rejection = await town.post(DISPATCHER, f"/v1/requests/{filed['id']}/reject", {"answer": "不予受理"})
    for refused in (await town.put(DISPATCHER, path, {"organisation_id": STATION}), rejection):
        assert (refused.status_code, refused.json()["code"]) == (409, "supervisor-decides")
    given = await town.step(SUPERVISOR, filed, "handler", {"organisation_id": STATION})
    assert given["inside"]["forced"] is True
    kept = await town.post(STATION_HANDLER, f"/v1/requests/{filed['id']}/return", {"reason": "再退"})
    assert (kept.status_code, kept.json()["code"]) == (409, "assignment-forced")


async def test_a_refused_case_states_its_resident_why(town: Town) -> None:
    filed = await town.file()
    await town.step(DISPATCHER, filed, "reject", {"reason": "not_our_duty", "answer": "请联系物业。"})
    seen = (await town.get(RESIDENT, f"/v1/requests/{filed['id']}")).json()
    assert (seen["state"], seen["answer"], seen["closed_because"]) == ("rejected", "请联系物业。", "not_our_duty")


async def test_a_resident_withdraws_an_open_case(town: Town) -> None:
    filed = await town.file()
    assert (await town.step(RESIDENT, filed, "cancel", {}))["state"] == "cancelled"
    again = await town.post(RESIDENT, f"/v1/requests/{filed['id']}/cancel", {})
    assert again.json()["params"]["allowed"] == ["comment"]


async def test_a_leader_of_a_team_sees_what_the_team_has_and_nothing_else(town: Town) -> None:
    await town.team("team_patrol")
    seen = await town.file(item="WATCH")
    unseen = await town.file()
    assert (await town.get(LEADER, f"/v1/requests/{seen['id']}")).status_code == 200
    assert (await town.get(LEADER, f"/v1/requests/{unseen['id']}")).status_code == 404
    listed = (await town.get(LEADER, "/v1/requests")).json()["items"]
    assert [line["id"] for line in listed] == [seen["id"]]


@pytest.mark.parametrize("said", [{"solved": True}, {"satisfied": False}, {"solved": False, "satisfied": True}])
async def test_who_was_not_reached_has_said_nothing(town: Town, said: dict[str, bool]) -> None:
    case = await resolved(town)
    refused = await town.post(OPERATOR, f"/v1/requests/{case['id']}/call-back", {"reached": False, **said})
    assert (refused.status_code, refused.json()["code"]) == (422, "not-reached")
    assert "CaseCalledBack" not in await town.events(case["id"])
    assert (await town.step(OPERATOR, case, "call-back", {"reached": False}))["state"] == "callback"


async def test_a_member_of_the_staff_neither_does_nor_rates_nor_calls_back_what_they_asked_for(town: Town) -> None:
    filed = await town.file()
    handler, operator = (replace(one, person=RESIDENT.person) for one in (STATION_HANDLER, OPERATOR))
    path = f"/v1/requests/{filed['id']}"
    assert (await town.get(handler, path)).json()["steps"] == []
    refused = await town.post(handler, f"{path}/accept")
    assert (refused.status_code, refused.json()["code"]) == (403, "own-case")
    assert "手机" in refused.json()["detail"], "it says what to do"
    for step, body in (("accept", None), ("start", None), ("resolve", ANSWER)):
        await town.step(STATION_HANDLER, filed, step, body)
    rated = await town.post(handler, f"{path}/rate", {"score": 5, "solved": True})
    called = await town.post(operator, f"{path}/call-back", {"reached": True})
    assert (rated.status_code, rated.json()["code"]) == (403, "forbidden"), "as a resident, or not at all"
    assert (called.status_code, called.json()["code"]) == (403, "own-case")
    await town.step(RESIDENT, filed, "rate", {"score": 5, "solved": True})
