"""A number that has another owner: they see nothing of who had it before, by no way that there is."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from pymongo import MongoClient

from tests.journeys.town import ROOT, Person, Town, new_phone

SILENT = "0.000001"
"""Days, less than a tenth of a second: to this process every phone is silent, to the rest of the town none."""


@contextmanager
def long_after(town: Town) -> Iterator[httpx.Client]:
    """One more web process of members, for which more time has passed than a phone may be silent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bare = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    given = {**town.stack.environment("members", "web"), "LINLI_PORT": str(port), "LINLI_PHONE_SILENT_DAYS": SILENT}
    command = [sys.executable, "-m", "services.members", "web"]
    process = subprocess.Popen(command, env={**bare, **given}, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            town.wait(lambda: ready(http), "another web process")
            yield http
    finally:
        process.terminate()
        process.wait(30)


def ready(http: httpx.Client) -> bool:
    try:
        return http.get("/readyz").is_success
    except httpx.TransportError:
        return False


def entered(town: Town, phone: str, later: httpx.Client, **more: Any) -> httpx.Response:
    """An answer to who signs in long after, with the code that came to the phone."""
    before = len(town.text_messages(phone))
    town.insist("POST", "/v1/sign-in/codes", body={"phone": phone})
    town.wait(lambda: len(town.text_messages(phone)) > before, "a sign-in code")
    body = {"phone": phone, "code": town.code(phone), **more}
    return later.post("/v1/sign-in/tokens", json=body)


def phones_of(town: Town, person: str) -> list[object]:
    """The phone in the file of a person, sealed, as each of the services has it."""
    found: list[object] = []
    for service, collection in (("members", "people"), ("requests", "copies_person"), ("notify", "copies_person")):
        with MongoClient[dict[str, Any]](town.stack.signed_in[service]) as client:
            document = client.get_default_database()[collection].find_one({"_id": person})
            assert document is not None
            found.append(document["state"]["phone"])
    return found


def following(who: Person) -> dict[str, str]:
    """The headers of who opens the stream of their inbox from its beginning."""
    return {**who.bearer, "Last-Event-ID": "0"}


def serve(town: Town, case: dict[str, Any]) -> None:
    """All that its resident hears of by text message."""
    handler = town.handler(case)
    for step, body in (("accept", None), ("start", None), ("resolve", {"answer": "已修好。"})):
        town.done("POST", f"/v1/requests/{case['id']}/{step}", handler, body)


def test_the_new_owner_of_a_number_sees_nothing_of_who_had_it_before(town: Town) -> None:
    phone = new_phone()
    old = town.resident(phone)
    town.done("PUT", "/v1/me", old, {"name": "包子明", "address": "东山路 1 号"})
    case = town.file(old)
    town.wait(lambda: town.notices(old, case["id"], "case-filed"), "the notice of the case")
    town.wait(lambda: any(case["number"] in one["text"] for one in town.text_messages(phone)), "a text message")
    with long_after(town) as later:
        asked = entered(town, phone, later)
        assert (asked.status_code, asked.json()["code"]) == (409, "phone-silent")
        body = {"phone": phone, "code": town.code(phone), "new_owner": True}
        tokens = later.post("/v1/sign-in/tokens", json=body)
        assert tokens.status_code == 201, tokens.text
    new = Person(tokens.json()["access_token"], phone)
    assert new.claims["person"] != old.claims["person"]
    town.wait(lambda: phones_of(town, old.claims["person"]) == [None] * 3, "the old file to have no phone anywhere")
    shown = {
        "me": town.done("GET", "/v1/me", new),
        "cases": town.done("GET", "/v1/requests", new)["items"],
        "followed": town.done("GET", "/v1/requests/followed", new)["items"],
        "inbox": town.inbox(new),
        "preferences": town.done("GET", "/v1/preferences", new),
    }
    assert (shown["cases"], shown["followed"], shown["inbox"]) == ([], [], [])
    for secret in ("包子明", "东山路", case["id"], case["number"], old.claims["person"]):
        assert secret not in str(shown)
    for path in ("", "/timeline", "/call"):
        assert town.ask("GET", f"/v1/requests/{case['id']}{path}", new).status_code in (403, 404)
    for step, more in (("cancel", {}), ("comment", {"text": "我的"}), ("urge", None)):
        assert town.ask("POST", f"/v1/requests/{case['id']}/{step}", new, more).status_code == 404
    assert town.ask("GET", f"/v1/track/{case['number']}", params={"code": "7K3QX-9M2WD"}).status_code == 404
    with town.http.stream("GET", "/v1/inbox/stream", headers=following(new)) as stream:
        heard = next(stream.iter_raw()).decode()
    assert case["id"] not in heard
    paths = ("/v1/me", "/v1/requests", "/v1/inbox")
    town.wait(
        lambda: {town.ask("GET", path, old).status_code for path in paths} == {401}, "the old token to be refused"
    )
    before = [one["text"] for one in town.text_messages(phone)]
    serve(town, case)
    own = town.file(new)
    serve(town, own)
    resolved = "case-resolved"
    town.wait(lambda: town.notices(new, own["id"], resolved), "the notice of the own case")
    town.wait(lambda: sum(own["number"] in one["text"] for one in town.text_messages(phone)) > 1, "text messages")
    since = [one["text"] for one in town.text_messages(phone)][len(before) :]
    assert not [text for text in since if case["number"] in text], "the notices of the old case go nowhere"
    assert {one["about"] for one in town.inbox(new)} == {own["id"]}
    followed = town.ask("GET", f"/v1/track/{case['number']}", params={"code": case["tracking_code"]})
    assert followed.status_code == 200, "who has number and code follows the case still"


def test_the_owner_of_a_number_that_was_silent_shows_it_by_a_case_and_sees_everything(town: Town) -> None:
    phone = new_phone()
    old = town.resident(phone)
    case, stranger = town.file(old), town.file(town.resident())

    def known() -> bool:
        with MongoClient[dict[str, Any]](town.stack.signed_in["members"]) as client:
            ids = {"$in": [case["id"], stranger["id"]]}
            return client.get_default_database()["copies_case"].count_documents({"_id": ids}) == 2

    town.wait(known, "the cases to be known to members")
    with long_after(town) as later:
        theirs = {"case_number": stranger["number"], "tracking_code": stranger["tracking_code"]}
        refused = entered(town, phone, later, **theirs)
        assert (refused.status_code, refused.json()["code"]) == (401, "holder-unproven")
        body = {"phone": phone, "code": town.code(phone), "case_number": case["number"].lower()}
        tokens = later.post("/v1/sign-in/tokens", json={**body, "tracking_code": case["tracking_code"]})
        assert tokens.status_code == 201, tokens.text
    again = Person(tokens.json()["access_token"], phone)
    assert again.claims["person"] == old.claims["person"]
    assert [one["id"] for one in town.done("GET", "/v1/requests", again)["items"]] == [case["id"]]
