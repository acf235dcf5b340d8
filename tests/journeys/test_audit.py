"""`linli audit` lists who saw whose data, and detects a changed log."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient

from tests.journeys.town import COMMUNITY, Town


def listed(town: Town, *words: str) -> list[dict[str, Any]]:
    """Entries of the log, newest first."""
    answer = town.linli("audit", "list", "--json", *words)
    assert answer.returncode == 0, answer.stderr
    found: list[dict[str, Any]] = json.loads(answer.stdout)["entries"]
    return found


def test_staff_who_read_a_residents_request_are_listed_and_the_resident_is_not(town: Town) -> None:
    resident, stranger, operator = town.resident(), town.resident(), town.staff("operator")
    town.done("PUT", "/v1/me", resident, {"name": "张七七", "area": COMMUNITY})
    case = town.file(resident, title="楼道灯不亮七七")
    handler, person, path = town.handler(case), resident.claims["person"], f"/v1/requests/{case['id']}"
    for who, status in ((handler, 200), (resident, 200), (stranger, 404)):
        assert town.ask("GET", path, who).status_code == status
    town.done("POST", f"/v1/people/{person}/unmask", operator, {"reason": "上门前核对电话七七"})
    seen = listed(town, "--subject", person)
    assert [(entry["actor"], entry["action"], entry["usecase"], entry["about"]) for entry in seen] == [
        (operator.claims["sub"], "unmask", "members.people.unmask", [person]),
        (handler.claims["sub"], "read", "requests.cases.steps.get_case", [case["id"]]),
    ]
    [refused] = listed(town, "--actor", stranger.claims["sub"])
    assert (refused["action"], refused["code"], refused["about"]) == ("refuse", "not-found", [case["id"]])
    assert not [word for word in ("七七", resident.phone) if word in json.dumps([seen, refused], ensure_ascii=False)]


def test_a_page_of_the_log_continues_where_the_one_before_ended(town: Town) -> None:
    handler = town.handler(town.file(town.resident()))
    for _ in range(3):
        town.done("GET", "/v1/requests", handler)
    whole = listed(town, "--actor", handler.claims["sub"])
    first = json.loads(town.linli("audit", "list", "--json", "--limit", "2", "--actor", handler.claims["sub"]).stdout)
    rest = listed(town, "--actor", handler.claims["sub"], "--after", first["next"])
    assert [*first["entries"], *rest] == whole
    assert [entry["at"] for entry in whole] == sorted((entry["at"] for entry in whole), reverse=True)


def test_one_byte_in_a_history_and_one_entry_removed_are_both_named(town: Town) -> None:
    resident = town.resident()
    case = town.file(resident)
    for _ in range(2):
        town.done("GET", f"/v1/requests/{case['id']}", town.handler(case))
    answer = town.linli("audit", "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    entry = listed(town, "--subject", resident.claims["person"])[-1]["_id"]
    with damaged(town, case["id"], entry):
        answer = town.linli("audit")
        assert answer.returncode == 1
        assert f"requests A1 {entry}: gone" in answer.stdout
        assert f"requests L3 {case['id']}: " in answer.stdout
    assert town.linli("audit", "--service", "requests").returncode == 0


@contextmanager
def damaged(town: Town, case: str, entry: str) -> Iterator[None]:
    """A time in which one byte of a case's history is another, and an entry of the audit log is not there."""
    with MongoClient[dict[str, Any]](town.stack.signed_in["requests"]) as client:
        base = client.get_default_database()
        history, removed = base["cases"].find_one({"_id": case}, {"history": 1}), base["audit"].find_one({"_id": entry})
        assert history and removed
        number = history["history"][0]["data"]["number"]
        other = f"{number[:-1]}{(int(number[-1], 36) + 1) % 10}"
        base["cases"].update_one({"_id": case}, {"$set": {"history.0.data.number": other}})
        base["audit"].delete_one({"_id": entry})
        try:
            yield
        finally:
            base["cases"].update_one({"_id": case}, {"$set": {"history.0.data.number": number}})
            base["audit"].insert_one(removed)
