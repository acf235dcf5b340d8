"""What a notice quotes of a case is gone with the key of the case, and with that of its reader."""

import asyncio
import tomllib
from pathlib import Path

import pytest

import services
from services.chassis.domain.values import Sealed, now
from services.chassis.storage.sealing import Tampered
from services.contracts.requests.cases import CaseAccepted, CaseForgotten, CaseResolved, CommentAdded
from services.notify.inboxes.queries import MessageView
from services.notify.messages.model import Message
from tests.notify.conftest import RESIDENT, Town, eventually, signed_in

CASE, OTHER = "case_1", "case_2"
ANSWER = "路灯已于今日修好"


def resolved(answer: Sealed) -> CaseResolved:
    return CaseResolved(outcome="fixed", answer=answer, resolved_at=now(), resolution_seconds=60)


async def answered(town: Town, *cases: str) -> dict[str, Message]:
    """A notice for each of these cases that quotes the answer, by case."""
    await town.peopled()
    for case in cases:
        await town.filed(case)
        await town.tell(case, resolved(town.seal(ANSWER, case, "answer")))
    return {one.about or "": one for one in await town.messages(RESIDENT) if one.template == "case-resolved"}


def view(town: Town, message: Message) -> MessageView:
    return MessageView.of(message, town.container.context(signed_in(RESIDENT), "read"))


async def test_the_quoted_words_go_with_the_case_and_those_of_another_case_stay(town: Town) -> None:
    notices = await answered(town, CASE, OTHER)
    assert ANSWER in (view(town, notices[CASE]).body or "")
    await town.container.vault.keep({CASE: None})
    seen = view(town, notices[CASE])
    assert seen.body is None
    assert seen.title  # what and when it was is no secret of the case
    assert ANSWER not in (seen.title or "")
    assert ANSWER in (view(town, notices[OTHER]).body or "")


async def test_the_quoted_words_go_with_their_reader_too(town: Town) -> None:
    notices = await answered(town, CASE)
    await town.container.vault.keep({RESIDENT: None})
    seen = view(town, notices[CASE])
    assert (seen.title, seen.body) == (None, None)


async def test_neither_key_alone_opens_the_quoted_words(town: Town) -> None:
    message = (await answered(town, CASE))[CASE]
    vault = town.container.vault
    inner = vault.open(message.body, RESIDENT, "message-body")
    assert inner is not None
    assert ANSWER not in inner
    with pytest.raises(Tampered):
        vault.open(message.body, CASE, "message-body")
    with pytest.raises(Tampered):
        vault.open_under(message.body, [RESIDENT, RESIDENT], "message-body")


async def test_anyone_who_reads_their_own_notice_opens_nobody_elses_data(town: Town) -> None:
    message = (await answered(town, CASE))[CASE]
    ctx = town.container.context(signed_in(RESIDENT), "read")
    assert ANSWER in (MessageView.of(message, ctx).body or "")
    assert ctx.opened.close(RESIDENT) == ()


async def test_of_a_case_that_is_forgotten_nothing_is_quoted_any_more(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    comment = CommentAdded(
        text=town.seal("明天来修", CASE, "text"), author_id="x", public=True, by_resident=False, from_resident=False
    )
    await town.container.vault.keep({CASE: None})
    await town.tell(CASE, comment, CaseForgotten(because="order"), CaseAccepted())
    assert await town.templates(RESIDENT) == ["case-accepted", "case-filed"]


async def test_a_notice_waits_for_the_key_of_the_case_that_it_quotes(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    words = town.seal(ANSWER, CASE, "answer")
    (kept,) = await town.container.mongo.find("keys", {"_id": CASE}, limit=1)
    await town.container.mongo.delete("keys", {"_id": CASE})
    town.container.vault._keys.pop(CASE)
    await town.publish([town.record(CASE, resolved(words))])
    await asyncio.sleep(1.5)  # longer than one try waits
    assert "case-resolved" not in await town.templates(RESIDENT)
    assert not await town.container.mongo.count("parked", {}, limit=1)
    await town.container.vault.keep({CASE: bytes(kept["wrapped"])})

    async def result() -> bool:
        return "case-resolved" in await town.templates(RESIDENT)

    await eventually(result)
    assert ANSWER in await town.said(RESIDENT, "case-resolved")


def test_no_title_quotes_since_titles_are_sealed_for_their_reader_alone() -> None:
    folder = Path(services.__file__ or "").parent / "texts"
    tables = [tomllib.loads((folder / f"{lang}.toml").read_text("utf-8"))["notify"] for lang in ("zh", "en")]
    notices = [table["notices"] for table in tables]
    titles = [notice["title"] for of_language in notices for notice in of_language.values()]
    assert len(titles) > 40
    assert not [title for title in titles if "words" in title]
