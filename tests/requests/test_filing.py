"""Filing a request: who has it and by when is known at once, and what is wrong is refused with nothing written."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.chassis.domain.values import now
from services.chassis.domain.words import Words
from services.contracts.members.areas import AreaAdded, AreaClosed
from services.contracts.members.people import PersonRegistered
from services.requests.providers.model import AreaCopy
from services.requests.residents.model import Person
from tests.requests.town import (
    ADMINISTRATOR,
    BARE,
    CENTRE,
    COUNTY,
    DEPARTMENT,
    DISPATCHER,
    ELSEWHERE,
    GONE,
    GRID,
    HOME,
    NEIGHBOUR,
    OPERATOR,
    RESIDENT,
    STATION,
    STREET,
    Town,
    filing,
    staff,
)
from tests.support.world import keyed

CLOSED = AreaClosed(reason="merged")


async def stored(town: Town) -> int:
    return await town.container.mongo.count("cases", {}, 100)


async def test_the_answer_says_the_number_who_has_it_and_by_when(town: Town) -> None:
    answer = await town.post(RESIDENT, "/v1/requests", filing())
    filed = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/requests/{filed['id']}"
    assert answer.headers["ETag"] == f'"{filed["version"]}"'
    assert filed["handler"] == {
        "id": STATION,
        "tier": "station",
        "name": {"zh": "正阳社区服务站", "en": "Zhengyang Station"},
    }
    assert filed["state"] == "dispatched"
    assert filed["filed_at"] < filed["due_at"]
    assert filed["remaining_hours"] == 24
    assert (filed["title"], filed["text"]) == ("楼道灯坏了", "三单元的灯不亮。")
    assert await town.events(filed["id"]) == ["CaseFiled", "LimitsSet", "CaseDispatched"]


async def test_a_resident_sees_nothing_of_the_inside_and_staff_does(town: Town) -> None:
    filed = await town.file()
    assert filed["inside"] is None
    assert filed["tracking_code"] is not None
    seen = (await town.get(DISPATCHER, f"/v1/requests/{filed['id']}")).json()
    assert seen["inside"]["resident_id"] == "person_wang"
    assert seen["tracking_code"] is None


async def test_a_request_from_a_grid_is_its_communitys(town: Town) -> None:
    assert (await town.file(area=GRID))["handler"]["id"] == STATION


@pytest.mark.parametrize(
    ("asked", "handler"),
    [({"area": BARE}, CENTRE), ({"item": "COUNTY"}, DEPARTMENT), ({"area": ELSEWHERE}, None)],
    ids=["a community without a station", "an item of the county", "a place that nobody serves"],
)
async def test_a_request_goes_to_the_first_tier_that_somebody_serves(
    town: Town, asked: dict[str, Any], handler: str | None
) -> None:
    filed = await town.file(**asked)
    assert (filed["handler"] or {}).get("id") == handler
    assert filed["state"] == ("dispatched" if handler else "new")


async def test_an_operator_files_for_a_caller_who_then_sees_it(town: Town) -> None:
    filed = await town.file(OPERATOR, on_behalf_of="person_wang")
    assert filed["inside"]["channel"] == "on_behalf"
    assert (await town.get(RESIDENT, f"/v1/requests/{filed['id']}")).status_code == 200
    assert (await town.get(NEIGHBOUR, f"/v1/requests/{filed['id']}")).status_code == 404


async def test_a_case_of_somebody_whose_phone_takes_no_text_messages_is_marked_for_those_who_call_back(
    town: Town,
) -> None:
    await town.keep_copy(Person, "person_wang", PersonRegistered(voice_only=True))
    filed = await town.file(OPERATOR, on_behalf_of="person_wang")
    assert filed["inside"]["voice_only"] is True
    assert "tracking_code" in filed, "the operator tells it to the caller, who reads the track page"
    assert (await town.get(DISPATCHER, f"/v1/requests/{filed['id']}")).json()["inside"]["voice_only"] is True
    assert (await town.file(OPERATOR, on_behalf_of="person_li"))["inside"]["voice_only"] is False


async def test_words_are_nowhere_in_the_database_in_clear(town: Town) -> None:
    filed = await town.file(title="金丝雀甲", text="金丝雀乙", address="金丝雀丙", lat=49.2138401, long=119.7652301)
    document = str(await town.container.mongo.find_one("cases", {"_id": filed["id"]}))
    assert "金丝雀" not in document
    assert "49.21" not in document
    assert "119.76" not in document
    assert (filed["latitude"], filed["longitude"]) == (49.2138401, 119.7652301)
    assert (await town.file())["latitude"] is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (filing(item="NOTHING"), "item-unknown"),
        (filing(area="159999999999"), "area-unknown"),
        (filing(area=GONE), "area-closed"),
        (filing(area=COUNTY), "area-too-wide"),
        (filing(text="长" * 4001), "invalid"),
        (filing(text=7), "invalid"),
        (filing(title="\u200b"), "invalid"),
        (filing(title="路\u202e灯"), "invalid"),
        (filing(title="路\x00灯"), "invalid"),
        (filing(text="。"), "invalid"),
        (filing(address=" "), "invalid"),
        (filing(text={"$ne": ""}), "invalid"),
        (filing(surprise=1), "invalid"),
        (filing(lat=91, long=0), "invalid"),
        (filing(lat=49), "position-halved"),
        (filing(item="FORM", answers={"age": 10**15 + 1}), "answers-unfit"),
        (filing(item="FORM", answers={"age": 1e300}), "answers-unfit"),
        (filing(item="FORM"), "answers-unfit"),
        (filing(item="FORM", answers={"age": "alt"}), "answers-unfit"),
        (filing(item="FORM", answers={"age": 70, "when": ["noon"]}), "answers-unfit"),
        (filing(item="FORM", answers={"age": 70, "when": ["day", "day"]}), "answers-unfit"),
        (filing(item="FORM", answers={"age": 70, "hidden": 1}), "answers-unfit"),
    ],
)
async def test_wrong_input_is_refused_and_nothing_is_written(town: Town, body: dict[str, Any], code: str) -> None:
    refused = await town.post(RESIDENT, "/v1/requests", body)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert await stored(town) == 0


async def test_what_a_form_misses_is_said_in_the_language_asked_for(town: Town) -> None:
    english = await town.post(RESIDENT, "/v1/requests", filing(item="FORM"), headers={"Accept-Language": "en"})
    assert english.json()["detail"] == "Check the answers to the form: 'age' (age) is missing."
    unfit = filing(item="FORM", answers={"age": "alt"})
    english = await town.post(RESIDENT, "/v1/requests", unfit, headers={"Accept-Language": "en"})
    assert english.json()["detail"] == "Check the answers to the form: 'age' (age) has to be a number."


async def test_a_character_that_cannot_be_seen_is_named_in_the_language_asked_for(town: Town) -> None:
    said = {}
    for language in ("zh", "en"):
        headers = {"Accept-Language": language}
        answer = await town.post(RESIDENT, "/v1/requests", filing(title="路灯\u202e坏了"), headers=headers)
        said[language] = answer.json()["errors"][0]["problem"]
    assert said == {
        "zh": "第 3 个字符 U+202E 看不见，请删去",
        "en": "has U+202E at position 3, which cannot be seen; take it out",
    }


async def test_answers_come_back_as_they_were_given(town: Town) -> None:
    given = {"age": 70, "when": ["day"]}
    assert (await town.file(item="FORM", answers=given))["answers"] == given


async def test_only_operators_file_for_others_and_only_in_their_places(town: Town) -> None:
    other = await town.post(RESIDENT, "/v1/requests", filing(on_behalf_of="person_li"))
    away = await town.post(staff("operator", "150721"), "/v1/requests", filing(on_behalf_of="person_li"))
    nobody = await town.post(OPERATOR, "/v1/requests", filing())
    clerk = await town.post(ADMINISTRATOR, "/v1/requests", filing())
    codes = [answer.json()["code"] for answer in (other, away, nobody, clerk)]
    assert codes == ["forbidden", "area-outside-yours", "resident-missing", "forbidden"]
    assert await stored(town) == 0


async def test_filing_for_somebody_who_is_not_known_says_what_to_do(town: Town) -> None:
    typed = await town.post(OPERATOR, "/v1/requests", filing(on_behalf_of="王秀英"))
    nobody = await town.post(OPERATOR, "/v1/requests", filing(on_behalf_of="person_nobody"))
    assert (typed.status_code, typed.json()["code"]) == (422, "invalid")
    assert (nobody.status_code, nobody.json()["code"], nobody.headers["Retry-After"]) == (503, "caller-unknown", "1")
    assert "person_nobody" in nobody.json()["detail"]
    assert await stored(town) == 0


async def test_where_a_sub_district_is_closed_nothing_is_filed_below_it(town: Town) -> None:
    await town.keep_copy(
        AreaCopy, STREET, AreaAdded(level="sub_district", name=Words.named(STREET)), AreaClosed(reason="merged")
    )
    refused = await town.post(RESIDENT, "/v1/requests", filing(area=GRID))
    await town.keep_copy(AreaCopy, STREET, *[AreaAdded(level="sub_district", name=Words.named(STREET))] * 3)
    assert (refused.status_code, refused.json()["code"]) == (422, "area-closed")
    assert refused.json()["params"] == {"area": STREET}
    assert (await town.post(RESIDENT, "/v1/requests", filing(area=GRID))).status_code == 201


async def test_without_signing_in_nothing_is_filed(town: Town) -> None:
    assert (await town.post(None, "/v1/requests", filing())).status_code == 401


async def test_a_withdrawn_item_is_not_filed_any_more(town: Town) -> None:
    await town.post(ADMINISTRATOR, "/v1/catalogue/NEAR/withdraw")
    refused = await town.post(RESIDENT, "/v1/requests", filing())
    assert refused.json()["code"] == "item-unknown"


async def test_twins_at_the_same_instant_make_one_case_and_get_the_same_answer(town: Town) -> None:
    key = keyed()
    answers = await asyncio.gather(
        *(town.post(RESIDENT, "/v1/requests", filing(), headers=key) for _ in range(6)),
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.headers["ETag"] for answer in answers}) == 1
    assert len({(answer.json()["id"], answer.json()["number"]) for answer in answers}) == 1
    assert await stored(town) == 1


async def test_a_key_used_with_another_payload_is_refused(town: Town) -> None:
    key = keyed()
    await town.post(RESIDENT, "/v1/requests", filing(), headers=key)
    refused = await town.post(RESIDENT, "/v1/requests", filing(title="别的"), headers=key)
    assert refused.json()["code"] == "key-reused"
    assert await stored(town) == 1


async def test_a_filed_case_is_due_on_working_time(town: Town) -> None:
    case = await town.case((await town.file())["id"])
    assert case.respond_by - now() > timedelta(hours=3)
    assert case.filed_at < case.respond_by < case.warn_at < case.due_at


async def test_a_case_of_another_place_is_not_there_for_staff(town: Town) -> None:
    filed = await town.file()
    elsewhere = staff("dispatcher", "150721101")
    assert (await town.get(elsewhere, f"/v1/requests/{filed['id']}")).status_code == 404
    refused = await town.put(elsewhere, f"/v1/requests/{filed['id']}/handler", {"organisation_id": CENTRE})
    assert refused.status_code == 404
    assert (await town.get(ADMINISTRATOR, f"/v1/requests/{filed['id']}")).status_code == 403
    assert HOME in (await town.case(filed["id"])).places()


async def test_a_repeat_hears_its_first_answer_whatever_the_rules_say_by_now(town: Town) -> None:
    here, elsewhere = staff("operator", HOME), staff("operator", ELSEWHERE)
    assert here.id == elsewhere.id
    asked = ((RESIDENT, filing(), keyed()), (here, filing(on_behalf_of="person_wang"), keyed()))
    first = [await town.post(actor, "/v1/requests", body, headers=key) for actor, body, key in asked]
    assert [answer.status_code for answer in first] == [201, 201]
    await town.post(ADMINISTRATOR, "/v1/catalogue/NEAR/withdraw")
    await town.keep_copy(AreaCopy, HOME, *([AreaAdded(level="community", name=Words.named(HOME))] * 8), CLOSED)
    later = ((RESIDENT, *asked[0][1:]), (elsewhere, *asked[1][1:]))  # the operator has another place meanwhile
    again = [await town.post(actor, "/v1/requests", body, headers=key) for actor, body, key in later]
    assert [answer.status_code for answer in again] == [201, 201]
    assert first[0].json() == again[0].json()
    assert first[1].json()["number"] == again[1].json()["number"], "what else it says depends on the reader's places"
    for one, other in zip(first, again, strict=True):
        assert [one.headers[name] for name in ("ETag", "Location")] == [other.headers[n] for n in ("ETag", "Location")]
    for (actor, body, key), code in zip(later, ("item-unknown", "area-closed"), strict=True):
        wrong = await town.post(actor, "/v1/requests", filing(title="别的"), headers=key)
        assert (wrong.status_code, wrong.json()["code"]) == (422, "key-reused")
        anew = await town.post(actor, "/v1/requests", body, headers=keyed())
        assert anew.json()["code"] == code
    assert await stored(town) == 2
