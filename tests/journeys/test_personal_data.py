"""What is personal stays where it belongs: none of it in logs, metrics, Kafka's files or raw databases."""

import secrets
import time
from pathlib import Path

import httpx

from tests.journeys.collector import Collector
from tests.journeys.town import COMMUNITY, Town, filing, new_phone

FORMS = ("utf-8", "utf-16-le")
POSITIONS = (".index", ".timeindex")
"""Kafka's own numbers beside each segment: ten mostly empty megabytes each, and no data."""


def test_one_trace_is_followed_from_the_gateway_to_the_message(town: Town, collector: Collector) -> None:
    resident, trace = town.resident(), secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
    case = town.done("POST", "/v1/requests", resident, filing(), headers=headers)
    town.wait(lambda: town.notices(resident, case["id"], "case-filed"), "the acknowledgement")
    town.wait(lambda: trace in log(town, "gateway"), "the trace in the gateway's log")
    town.wait(
        lambda: any(f"{case['id']}:" in line and '"reaction": "tell"' in line for line in notified(town, trace)),
        "the reaction in the log of notify",
    )
    town.wait(
        lambda: any("a message is sent" in line for line in notified(town, trace)),
        "the message's way out in the log",
    )
    ways = {("linli-requests web", "POST /v1/requests"), ("linli-requests web", "requests.cases.intake.file")}
    ways |= {("linli-notify worker", "reaction tell"), ("linli-notify worker", "timer deliver-sms")}
    town.wait(lambda: ways <= {(s.process, s.name) for s in collector.spans(trace)}, "the trace's export")
    (filing_span,) = [s for s in collector.spans(trace) if s.name == "POST /v1/requests"]
    assert {s.parent for s in collector.spans(trace) if s.name == "reaction tell"} == {filing_span.id}


def test_without_a_trace_of_the_clients_the_gateways_request_id_is_it(town: Town) -> None:
    answer = town.ask("GET", "/v1/me", town.resident())
    trace = answer.headers["x-request-id"].replace("-", "")
    town.wait(lambda: trace in log(town, "members-web"), "the trace in the log of members")


def test_personal_data_is_nowhere_in_clear(town: Town, collector: Collector) -> None:
    mark = secrets.token_hex(6)
    phone, operator = new_phone(), town.staff("operator")
    words = {what: f"{text}{mark}" for what, text in (("title", "标题"), ("text", "正文"), ("address", "地址"))}
    name = f"张{mark}"
    caller = {"name": name, "phone": phone, "address": words["address"], "area": COMMUNITY}
    person = town.done("POST", "/v1/people", operator, caller)
    place = {"lat": float(f"49.{secrets.randbelow(9 * 10**9) + 10**9}1"), "long": 119.5}
    case = town.file(operator, on_behalf_of=person["id"], answers={"need": f"需要{mark}"}, **place, **words)
    handler = town.handler(case)
    town.done("POST", f"/v1/requests/{case['id']}/comment", handler, {"text": f"留言{mark}"})
    town.ask("POST", "/v1/requests", operator, filing(title=words["title"], item=f"NO-{mark}"[:9]))
    town.done("GET", f"/v1/requests/{case['id']}", handler)
    town.done("POST", f"/v1/people/{person['id']}/unmask", operator, {"reason": f"核对{mark}"})
    audited = town.linli("audit", "list", "--json", "--subject", person["id"]).stdout
    assert '"unmask"' in audited and '"read"' in audited
    resident = town.resident(phone)
    town.wait(lambda: town.notices(resident, case["id"], "case-filed"), "the acknowledgement")
    time.sleep(1)  # logs are flushed within half a second
    canaries = [mark, phone, str(place["lat"])]
    assert not found(town.stack.home.logs, canaries)
    assert not [one for one in canaries if one in metrics(town) or one in audited]
    town.wait(lambda: any(b"reaction tell" in body for body in collector.raw), "traces")
    assert not [one for one in canaries if any(holds(body, [one]) for body in collector.raw)]
    # What is no secret is found in the same files: a secret would be too.
    held = found(town.stack.home.data, [*canaries, case["id"]])
    assert {word for words in held.values() for word in words} == {case["id"]}
    assert {file.relative_to(town.stack.home.data).parts[0] for file in held} >= {
        "kafka",
        "mongo-requests",
        "mongo-notify",
    }


def test_the_search_for_canaries_finds_one_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "segment").write_bytes(b"\x00\x01" + "标题abc123".encode("utf-16-le"))
    assert found(tmp_path, ["标题abc123", "else"]) == {tmp_path / "segment": {"标题abc123"}}


def found(folder: Path, words: list[str]) -> dict[Path, set[str]]:
    """The files in which some of these words stand, in one of the forms in which they might.

    Journals end in a hundred megabytes of zeros that are kept for later: they are not looked through.
    One stays: it may be half of a last letter of UTF-16.
    """
    files = [file for file in folder.rglob("*") if file.is_file() and file.suffix not in POSITIONS]
    held = {file: holds(file.read_bytes().rstrip(b"\0") + b"\0", words) for file in files}
    return {file: words for file, words in held.items() if words}


def holds(content: bytes, words: list[str]) -> set[str]:
    """Those of the words that stand in it."""
    return {word for word in words if any(word.encode(form) in content for form in FORMS)}


def metrics(town: Town) -> str:
    """What all processes tell of themselves."""
    names = [one.name for one in town.stack.layout.processes if one.kind in ("web", "worker")]
    return "".join(httpx.get(f"{town.stack.layout.address(name)}/metrics").text for name in names)


def notified(town: Town, trace: str) -> list[str]:
    """The lines in which notify's worker tells of one trace."""
    return [line for line in log(town, "notify-worker").splitlines() if trace in line]


def log(town: Town, process: str) -> str:
    """All that a process has said."""
    return town.stack.home.log(process).read_text()
