"""In danger, through the gateway: what to do is said before and after filing, and is sealed wherever it is kept."""

import time

from tests.journeys.test_personal_data import found, metrics
from tests.journeys.town import STREET, Town


def text_about(town: Town, phone: str, number: str) -> str:
    """The one text message that came to a phone about a case."""

    def come() -> list[str]:
        return [one["text"] for one in town.text_messages(phone) if number in one["text"]]

    (text,) = town.wait(come, "the text message")
    return text


def test_words_of_danger_bring_advice_before_and_after_filing_and_a_mark_that_staff_take_off(town: Town) -> None:
    (before,) = town.done("POST", "/v1/catalogue/suggest", body={"text": "煤氣洩漏 救命"})["advice"]
    resident = town.resident()
    case = town.file(resident, title="救命", text="楼下煤气漏了，味道很大")
    assert case["advice"] == [before]
    assert "119" in text_about(town, resident.phone, case["number"])
    (message,) = town.wait(lambda: town.notices(resident, case["id"], "case-filed"), "the acknowledgement")
    assert (message["template"], message["urgent"], message["covered"]) == ("case-filed-in-danger", True, True)
    opened = town.done("POST", f"/v1/inbox/{message['id']}/read", resident)
    assert before["text"]["zh"] in opened["body"]
    dispatcher = town.hire(STREET, "dispatcher")
    listed = {one["id"]: one["dangers"] for one in town.all("/v1/requests", dispatcher)}
    assert listed[case["id"]] == ["gas"]
    town.done("POST", f"/v1/requests/{case['id']}/no-danger", dispatcher, {"reason": "打电话问过，是邻居做饭"})
    assert town.done("GET", f"/v1/requests/{case['id']}", dispatcher)["inside"]["dangers"] == []
    assert town.done("GET", f"/v1/requests/{case['id']}", resident)["advice"] == [before]


def test_what_is_sensitive_is_on_no_phone_and_what_kind_of_danger_it_is_in_no_file(town: Town) -> None:
    resident = town.resident()
    answers = {"age": 30, "need": "想有人说说话", "danger": "no"}
    case = town.file(resident, item="HEA-MENTAL", text="我想跳楼", answers=answers)
    text = text_about(town, resident.phone, case["number"])
    (message,) = town.wait(lambda: town.notices(resident, case["id"], "case-filed"), "the acknowledgement")
    for shown in (text, message["title"], message["body"]):
        assert not [word for word in ("心理", "精神", case["handler"]["name"]["zh"]) if word in shown]
    opened = town.done("POST", f"/v1/inbox/{message['id']}/read", resident)["body"]
    assert ("心理援助" in opened, case["item_name"]["zh"] in opened) == (True, True)
    time.sleep(1)  # logs are flushed within half a second
    telling = ["self-harm", "跳楼"]
    assert not found(town.stack.home.logs, telling)
    assert not found(town.stack.home.data, telling)
    assert not [word for word in telling if word in metrics(town)]
