"""Parts that break while people go on: nothing that was accepted is lost or doubled, and what cannot be is said."""

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.journeys.town import Person, Town, filing

WORKERS = ("members-worker", "requests-worker", "notify-worker")


def everybody_notified(town: Town, who: Person, cases: list[str]) -> Callable[[], bool]:
    """Whether somebody was told of each of these cases, and of each once."""

    def look() -> bool:
        about = [one["about"] for one in town.all("/v1/inbox", who) if one["template"].startswith("case-filed")]
        assert len(set(about)) == len(about), "told twice"
        return set(cases) <= set(about)

    return look


def test_with_the_broker_away_requests_are_accepted_and_all_notices_come_later(town: Town) -> None:
    resident = town.resident()
    with town.without("kafka"):
        cases = [town.file(resident)["id"] for _ in range(5)]
        assert not town.inbox(resident)
    town.wait(everybody_notified(town, resident, cases), "everybody to be told")


def test_with_notify_away_notices_come_late_and_once(town: Town) -> None:
    resident = town.resident()
    with town.without("notify-worker"):
        cases = [town.file(resident)["id"] for _ in range(3)]
    town.wait(everybody_notified(town, resident, cases), "everybody to be told")

    def texted() -> list[str]:
        return [one["key"] for one in town.text_messages(resident.phone) if "已受理" in one["text"]]

    town.wait(lambda: len(texted()) >= 3, "the text messages")
    assert len(texted()) == len(set(texted())) == 3


def test_with_the_database_away_the_answer_is_503_and_the_same_key_continues_later(town: Town) -> None:
    resident, body, key = town.resident(), filing(), secrets.token_hex(8)
    with town.without("mongo-requests"):
        refused = town.ask("POST", "/v1/requests", resident, body, key=key)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.headers["content-type"] == "application/problem+json"
    answers = [town.insist("POST", "/v1/requests", resident, body, key=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert len(town.done("GET", "/v1/requests", resident)["items"]) == 1


@contextmanager
def filing_on(town: Town, who: Person) -> Iterator[list[str]]:
    """Somebody files again and again, no faster than the gateway lets one person, and insists on each answer."""
    cases: list[str] = []
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            answer = town.insist("POST", "/v1/requests", who, filing())
            assert answer.status_code == 201, answer.text
            cases.append(answer.json()["id"])
            over.wait(0.2)

    with ThreadPoolExecutor(4) as hands:
        busy = [hands.submit(go_on) for _ in range(4)]
        try:
            yield cases
        finally:
            over.set()
        for one in busy:
            one.result()


def test_killed_workers_lose_and_double_nothing(town: Town) -> None:
    resident = town.resident()
    with filing_on(town, resident) as cases:
        for worker in WORKERS:
            town.wait(lambda: cases, "requests to be filed")
            town.kill(worker)
    assert len(set(cases)) == len(cases)
    town.wait(everybody_notified(town, resident, cases), "everybody to be told")


def test_a_killed_web_loses_and_doubles_nothing(town: Town) -> None:
    resident = town.resident()
    with filing_on(town, resident) as cases:
        town.wait(lambda: len(cases) > 3, "requests to be filed")
        town.kill("requests-web")
    known = [one["id"] for one in town.all("/v1/requests", resident)]
    assert sorted(known) == sorted(cases)
