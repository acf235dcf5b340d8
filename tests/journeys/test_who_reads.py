"""What staff write stays among staff unless they say otherwise: walked through everything that a resident reads."""

import json
import secrets
from typing import Any

from tests.journeys.town import STREET, Town

STEPS: tuple[tuple[str, str, str, str], ...] = (
    ("handler", "accept", "", ""),
    ("handler", "no-danger", "NoDanger.reason", "reason"),
    ("handler", "comment", "AddComment.text", "text"),
    ("handler", "pause", "PauseCase.reason", "reason"),
    ("handler", "resume", "", ""),
    ("handler", "return", "ReturnCase.reason", "reason"),
    ("dispatcher", "handler", "", ""),
    ("handler", "accept", "", ""),
    ("dispatcher", "comment", "AddComment.text", "text"),
    ("handler", "resolve", "", "answer"),
    ("operator", "call-back", "CallBack.note", "note"),
    ("operator", "comment", "AddComment.text", "text"),
)
"""Who does what with a case; the text of a command that is said with it, and the name of its field."""


def test_nothing_that_staff_write_among_themselves_reaches_the_resident(town: Town) -> None:
    resident, mark, answer = town.resident(), secrets.token_hex(6), f"已修好{secrets.token_hex(4)}"
    case = town.file(resident, text="家里着火了快来")
    who = {
        "handler": town.handler(case),
        "dispatcher": town.hire(STREET, "dispatcher"),
        "operator": town.staff("operator"),
    }
    path, station = f"/v1/requests/{case['id']}", case["handler"]["id"]
    for number, (role, step, text, field) in enumerate(STEPS):
        body: dict[str, Any] = {"reached": True} if step == "call-back" else {}
        body |= {"organisation_id": station} if step == "handler" else {}
        body |= {field: f"{mark}-{number}"} if text else {field: answer} if field else {}
        town.done("PUT" if step == "handler" else "POST", f"{path}/{step}", who[role], body)
    town.wait(lambda: town.notices(resident, case["id"], "case-resolved"), "the notice of the answer")
    town.wait(lambda: [one for one in town.text_messages(resident.phone) if "办结" in one["text"]], "the text message")
    track = town.done("GET", f"/v1/track/{case['number']}?code={case['tracking_code']}")
    reads = {
        "case": town.done("GET", path, resident),
        "timeline": town.all(f"{path}/timeline", resident),
        "track": track,
        "inbox": town.inbox(resident),
        "text messages": town.text_messages(resident.phone),
    }
    said = {name: json.dumps(read, ensure_ascii=False) for name, read in reads.items()}
    assert [name for name, text in said.items() if mark in text] == []
    assert [name for name, text in said.items() if answer in text] == ["case", "timeline", "track", "inbox"]
    inside = json.dumps(town.all(f"{path}/timeline", who["dispatcher"]), ensure_ascii=False)
    assert inside.count(mark) == sum(1 for *_, text, _ in STEPS if text), "staff read all of it"
