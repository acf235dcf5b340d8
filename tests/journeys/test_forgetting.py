"""One case is forgotten in a running town: nothing of it can be read anywhere, and everything else is as it was."""

import asyncio
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.journeys.town import Person, Town
from tests.support.held import Held
from tests.support.term import end_term, search_tokens

RARE = "龘靐"
"""In no name and no other text of the town: the tokens of a search for it are of the case."""
WHERE = {
    "requests.cases",
    "requests.cases_archive",
    "notify.messages",
    "topic requests",
    "topic notify",
}
"""Where words of a case can be read as long as it is not forgotten."""


@dataclass(frozen=True)
class Lived:
    """A case that was taken to its end, with a mark in all of its words, and another one of the same resident."""

    case: dict[str, Any]
    other: dict[str, Any]
    resident: Person
    mark: str
    other_mark: str

    def ids(self) -> tuple[str, str]:
        """Of the case and of the other."""
        return self.case["id"], self.other["id"]


def said(mark: str) -> dict[str, str]:
    """Words of every kind, each with the mark."""
    kinds = ("title", "text", "address", "answer-of-form", "pause", "comment", "inside", "answer", "note", "remark")
    return {kind: f"{mark}-{kind}" for kind in kinds}


def lived(town: Town) -> Lived:
    """Let somebody have two cases, the first with words of every kind, closed and partly archived."""
    resident = town.resident()
    mark, other_mark = f"{RARE}{secrets.token_hex(6)}", secrets.token_hex(6)
    other = town.file(resident, title=other_mark, text=other_mark)
    words = said(mark)
    own = {name: words[name] for name in ("title", "text", "address")}
    case = town.file(resident, **own, answers={"need": words["answer-of-form"]}, lat=49.21, long=119.76)
    handler, operator = town.handler(case), town.staff("operator")
    for who, step, body in (
        (handler, "accept", None),
        (handler, "pause", {"reason": words["pause"]}),
        (handler, "resume", None),
        (resident, "comment", {"text": words["comment"]}),
        (handler, "comment", {"text": words["inside"], "public": False}),
        (handler, "resolve", {"answer": words["answer"]}),
        (operator, "call-back", {"reached": True, "note": words["note"]}),
        (resident, "rate", {"score": 4, "solved": True, "remark": words["remark"]}),
    ):
        case = town.done("POST", f"/v1/requests/{case['id']}/{step}", who, body)
    found = Lived(case, other, resident, mark, other_mark)
    town.wait(lambda: town.notices(resident, case["id"], "case-closed"), "the last notice")
    town.wait(lambda: town.notices(resident, other["id"], "case-filed"), "the notice of the other case")
    town.wait(lambda: quiet(town, found), "everything to be published and archived")
    return found


def quiet(town: Town, lived: Lived) -> bool:
    """Whether all that concerns the two cases is published, and the history of the first partly archived."""
    held = Held.by(town.stack)
    about = [held.about(id) for id in lived.ids()]
    return "requests.cases_archive" in about[0] and not any(
        "pending" in document for one in about for documents in one.values() for document in documents
    )


def by_staff(town: Town, lived: Lived) -> None:
    """An administrator decides."""
    path, administrator = f"/v1/requests/{lived.case['id']}/forget", town.staff("administrator")
    assert town.ask("POST", path, administrator, {"because": "order"}).status_code == 204


def by_term(town: Town, lived: Lived) -> None:
    """The timer's use case finds that the term is over: with one of no length it is over at once."""
    asyncio.run(end_term(town.stack, lived.case["id"]))


def gone(town: Town, ids: Iterable[str]) -> bool:
    """Whether the end of these keys has arrived where copies of them are kept."""
    held = Held.by(town.stack)
    ended = {key["_id"] for key in held.documents["notify.keys"] if key["wrapped"] is None}
    return all(id in ended and id not in held.keys for id in ids)


def quoted(town: Town, lived: Lived) -> str:
    """All that the inbox of the resident says."""
    return json.dumps(town.inbox(lived.resident), ensure_ascii=False)


def places_of(words: Mapping[str, str], mark: str) -> set[str]:
    """Where a mark can be read."""
    return {place for place, text in words.items() if mark in text}


def tokens_in(town: Town, held: Held) -> list[str]:
    """By which a search would find the case."""
    return [
        token
        for token in search_tokens(town.stack, RARE)
        if any(token.encode() in one for one in held.content.values())
    ]


def test_nothing_of_a_forgotten_case_is_readable_and_its_hash_chain_is_whole_and_another_case_is_untouched(
    town: Town,
) -> None:
    """Documents, histories, archives, copies, search, topics: each is read raw, with every key that still exists."""
    earlier = Held.by(town.stack).sealed()
    each = {forget: lived(town) for forget in (by_staff, by_term)}
    before = Held.by(town.stack)
    words = before.words(without=earlier)
    everything = "".join(words.values())
    for one in each.values():
        assert places_of(words, one.mark) == WHERE  # the search finds what is there, in all of these places
        assert [word for word in said(one.mark).values() if word not in everything] == []
        assert any(token in str(before.about(one.case["id"])) for token in tokens_in(town, before))
    for forget, one in each.items():
        forget(town, one)
    ids = [one.case["id"] for one in each.values()]
    town.wait(lambda: gone(town, ids), "the end of the keys in all databases and on the topic")
    after = Held.by(town.stack)
    left = after.words(without=earlier)
    assert tokens_in(town, after) == []
    for command in (("verify", "--json"), ("audit", "--json")):
        result = town.linli(*command)
        assert result.returncode == 0, result.stdout + result.stderr
    for one in each.values():
        id, other = one.ids()
        assert places_of(left, one.mark) == set()
        copies = {"notify.copies_case", "notify.messages"}
        assert set(after.about(id)) >= {"requests.cases", "requests.cases_archive", *copies}
        assert after.about(other) == before.about(other)
        assert places_of(left, one.other_mark) == places_of(words, one.other_mark)
        seen = town.done("GET", f"/v1/requests/{other}", one.resident)
        assert (seen["title"], seen["text"], seen["version"]) == (one.other_mark, one.other_mark, one.other["version"])


def test_the_facts_of_a_forgotten_case_stay_and_no_answer_has_a_word_of_it(town: Town) -> None:
    one = lived(town)
    by_staff(town, one)
    # The web of notify trusts a key that it has seen for up to a minute.
    town.wait(lambda: one.mark not in quoted(town, one), "the inbox to quote nothing of it any more")
    path, supervisor = f"/v1/requests/{one.case['id']}", town.staff("supervisor")
    seen = town.done("GET", path, one.resident)
    kept = ("number", "item", "area", "state", "filed_at", "due_at", "resolved_at", "score")
    assert {name: seen[name] for name in kept} == {name: one.case[name] for name in kept}
    answers = [
        town.done("GET", f"{path}{rest}", who) for rest in ("", "/timeline") for who in (one.resident, supervisor)
    ]
    answers += [town.done("GET", "/v1/requests", supervisor), {"inbox": town.inbox(one.resident)}]
    code = {"code": one.case["tracking_code"]}
    answers.append(town.done("GET", f"/v1/track/{one.case['number']}", params=code))
    assert [answer for answer in answers if one.mark in json.dumps(answer, ensure_ascii=False)] == []
    assert one.other_mark in json.dumps(answers, ensure_ascii=False)
