"""The main journey: a request from filing to rating, by oneself and on behalf, followed without signing in."""

from datetime import UTC, datetime

from tests.journeys.town import COMMUNITY, Person, Town, filing, new_phone

ANSWER = "已更换灯泡，线路正常。"


def resolved(town: Town, case: dict[str, object]) -> Person:
    """Let the handler of a case accept and resolve it."""
    handler = town.handler(case)
    for step, body in (("accept", None), ("start", None), ("resolve", {"answer": ANSWER})):
        town.done("POST", f"/v1/requests/{case['id']}/{step}", handler, body)
    return handler


def test_a_resident_hears_who_has_the_request_and_by_when(town: Town) -> None:
    resident = town.resident()
    case = town.file(resident)
    [message] = town.wait(lambda: town.notices(resident, case["id"], "case-filed"), "the acknowledgement")
    assert case["number"] in message["title"]
    assert case["handler"]["name"]["zh"] in message["body"]
    assert case["tracking_code"] in message["body"]
    assert "办结时限" in message["body"]


def test_a_request_goes_from_filing_to_rating(town: Town) -> None:
    resident = town.resident()
    answer = town.ask("POST", "/v1/requests", resident, filing())
    case = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/v1/requests/{case['id']}")
    assert answer.headers["ETag"] == f'"{case["version"]}"'
    assert datetime.fromisoformat(case["due_at"]) > datetime.now(UTC)
    assert (case["state"], case["handler"]["tier"]) == ("dispatched", "station")
    resolved(town, case)
    result = town.wait(lambda: town.notices(resident, case["id"], "case-resolved"), "the answer")
    assert ANSWER in result[0]["body"]
    rated = town.done("POST", f"/v1/requests/{case['id']}/rate", resident, {"score": 5, "solved": True})
    assert (rated["state"], rated["score"], rated["answer"]) == ("closed", 5, ANSWER)
    assert len(town.notices(resident, case["id"], "case-filed")) == 1


def test_an_operator_files_for_a_caller_who_later_signs_in_and_finds_it(town: Town) -> None:
    phone, operator = new_phone(), town.staff("operator")
    person = town.done("POST", "/v1/people", operator, {"name": "王秀英", "phone": phone, "area": COMMUNITY})
    case = town.file(operator, on_behalf_of=person["id"])
    texted = town.wait(lambda: town.text_messages(phone), "the text message to the caller")
    assert case["number"] in texted[0]["text"]
    caller = town.resident(phone)
    assert caller.claims["person"] == person["id"]
    assert [one["id"] for one in town.done("GET", "/v1/requests", caller)["items"]] == [case["id"]]
    assert len(town.notices(caller, case["id"], "case-filed")) == 1


def test_a_request_is_followed_by_number_and_code_without_signing_in(town: Town) -> None:
    case = town.file(town.resident(), title="这个标题只有本人能看")
    resolved(town, case)
    path = f"/v1/track/{case['number']}"
    seen = town.done("GET", path, params={"code": case["tracking_code"]})
    assert (seen["state"], seen["answers"]) == ("resolved", [ANSWER])
    assert "标题" not in str(seen)
    assert town.ask("GET", path, params={"code": "000000"}).status_code == 404


def test_what_comes_back_twice_is_decided_by_the_supervisor(town: Town) -> None:
    resident, dispatcher = town.resident(), town.staff("street-990101001")
    case = town.file(resident)
    for handled in (case["handler"]["id"], None):
        handler = town.handler(case)
        case = town.done("POST", f"/v1/requests/{case['id']}/return", handler, {"reason": "不属于我们"})
        if handled:
            body = {"organisation_id": centre(town)}
            case = town.done("PUT", f"/v1/requests/{case['id']}/handler", dispatcher, body)
    refused = town.ask("PUT", f"/v1/requests/{case['id']}/handler", dispatcher, {"organisation_id": centre(town)})
    assert (refused.status_code, refused.json()["code"]) == (409, "supervisor-decides")
    supervisor = town.staff("supervisor-990101")
    case = town.done("PUT", f"/v1/requests/{case['id']}/handler", supervisor, {"organisation_id": centre(town)})
    assert (case["state"], case["inside"]["forced"]) == ("dispatched", True)
    resolved(town, case)


def test_the_same_key_gives_the_same_answer_and_one_case(town: Town) -> None:
    resident, body = town.resident(), filing()
    first = town.ask("POST", "/v1/requests", resident, body, key="twice")
    second = town.ask("POST", "/v1/requests", resident, body, key="twice")
    other = town.ask("POST", "/v1/requests", resident, {**body, "title": "另一件事"}, key="twice")
    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.json(), first.headers["ETag"]) == (second.json(), second.headers["ETag"])
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")
    assert len(town.done("GET", "/v1/requests", resident)["items"]) == 1


def centre(town: Town) -> str:
    """The service centre of the street."""
    found = town.done("GET", "/v1/organisations", params={"under": "990101001", "kind": "centre"})
    return str(found["items"][0]["id"])
