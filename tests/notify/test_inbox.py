"""The inbox and preferences over HTTP: one's own only, newest first, read once."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.chassis.domain.events import Origin
from services.chassis.domain.values import now
from services.chassis.messaging.reactions import Create
from services.chassis.usecase import Container
from services.contracts.notify.messages import MessageWritten, Via
from services.notify.app import service
from services.notify.inboxes.commands import Append
from services.notify.inboxes.model import COLLECTION, KEPT, Inbox
from services.notify.messages.model import Message
from tests.notify.conftest import signed_in
from tests.support.world import World, keyed

WANG, BAO = "person_wang", "person_bao"


@pytest.fixture
async def container(world: World) -> Any:
    """Notify's container, with two people in town."""
    container = await world.container(service)
    for person in (WANG, BAO):
        await container.vault.mint(person, now())
    yield container
    await container.mongo.close()


async def say(container: Container, person: str, name: str, at: Any = None) -> str:
    """Write somebody a message, as the consumer does, and give its id."""
    effects = effects_of(container, person, name, at)
    for effect in effects:
        for collection, write in effect.writes(Origin(now(), "tell", "hulunbuir", f"event:{name}:tell", None, None)):
            await container.mongo.bulk(collection, [write])
    return effects[1].entity.id


def effects_of(container: Container, person: str, name: str, at: Any = None) -> tuple[Append, Create]:
    """The two effects of a message."""
    ctx = container.system_context("tell", f"event:{name}:tell")
    written = MessageWritten(
        person_id=person,
        template="case-accepted",
        language="zh",
        title=container.vault.seal(f"题目 {name}", person, "message-title"),
        body=container.vault.seal(f"正文 {name}", person, "message-body"),
        because_of=name,
        happened_at=at or now(),
        urgent=False,
        channels=[Via.INBOX],
    )
    create = Create.of(Message, ctx, person, written)
    return Append(person, create.entity.id, now()), create


async def inbox_of(container: Container, person: str) -> Inbox:
    return Inbox.of(await container.mongo.find_one(COLLECTION, {"_id": person}, {"read": 0}))


async def test_lines_are_numbered_without_gap_however_many_write_at_once(container: Container) -> None:
    await asyncio.gather(*(say(container, WANG, f"case:{number}") for number in range(80)))
    inbox = await inbox_of(container, WANG)
    assert (inbox.sequence, inbox.unread) == (80, 80)
    assert [line.sequence for line in inbox.lines] == list(range(1, 81))
    assert len({line.message for line in inbox.lines}) == 80


async def test_a_repeat_takes_no_second_number(container: Container) -> None:
    await say(container, WANG, "case:1")
    await asyncio.gather(*(say(container, WANG, "case:1") for _ in range(10)))
    inbox = await inbox_of(container, WANG)
    assert (inbox.sequence, inbox.unread, len(inbox.lines)) == (1, 1, 1)


async def test_only_the_latest_lines_are_kept(container: Container) -> None:
    for number in range(KEPT + 3):
        await say(container, WANG, f"case:{number}")
    inbox = await inbox_of(container, WANG)
    assert [line.sequence for line in inbox.lines] == list(range(4, KEPT + 4))
    assert inbox.reaches(3)
    assert not inbox.reaches(2)
    assert not inbox.reaches(KEPT + 4)


async def test_messages_come_newest_first_in_pages_with_the_unread_count(container: Container, world: World) -> None:
    for number in range(3):
        await say(container, WANG, f"case:{number}", now() + timedelta(seconds=number))
    async with world.client(world.app(service), signed_in(WANG)) as client:
        first = (await client.get("/v1/inbox", params={"limit": 2})).json()
        second = (await client.get("/v1/inbox", params={"limit": 2, "after": first["next"]})).json()
    assert [item["title"] for item in first["items"]] == ["题目 case:2", "题目 case:1"]
    assert [item["body"] for item in second["items"]] == ["正文 case:0"]
    assert (first["unread"], second["next"]) == (3, None)


async def test_reading_counts_once_however_often_it_is_said(container: Container, world: World) -> None:
    message = await say(container, WANG, "case:1")
    await say(container, WANG, "case:2")
    async with world.client(world.app(service), signed_in(WANG)) as client:
        headers = keyed()
        answers = [await client.post(f"/v1/inbox/{message}/read", headers=headers) for _ in range(2)]
        other_key = await client.post(f"/v1/inbox/{message}/read", headers=keyed())
        twins = await asyncio.gather(*(client.post(f"/v1/inbox/{message}/read", headers=keyed()) for _ in range(5)))
        listed = (await client.get("/v1/inbox")).json()
    assert [answer.status_code for answer in (*answers, other_key, *twins)] == [200] * 8
    assert answers[0].content == answers[1].content
    assert listed["unread"] == 1
    assert {item["id"] for item in listed["items"] if item["read"]} == {message}


async def test_a_crash_between_count_and_message_does_not_count_twice(container: Container, world: World) -> None:
    message = await say(container, WANG, "case:1")
    await say(container, WANG, "case:2")
    await container.mongo.update(COLLECTION, {"_id": WANG}, {"$inc": {"unread": -1}, "$push": {"read": message}})
    async with world.client(world.app(service), signed_in(WANG)) as client:
        await client.post(f"/v1/inbox/{message}/read", headers=keyed())
        assert (await client.get("/v1/inbox")).json()["unread"] == 1


async def test_somebody_elses_message_is_not_found(container: Container, world: World) -> None:
    message = await say(container, WANG, "case:1")
    async with world.client(world.app(service), signed_in(BAO)) as client:
        refused = await client.post(f"/v1/inbox/{message}/read", headers=keyed())
        listed = (await client.get("/v1/inbox")).json()
    assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
    assert (listed["items"], listed["unread"]) == ([], 0)


@pytest.mark.parametrize("path", ["/v1/inbox", "/v1/inbox/stream", "/v1/preferences"])
async def test_nobody_reads_without_signing_in(container: Container, world: World, path: str) -> None:
    async with world.client(world.app(service)) as client:
        assert (await client.get(path)).status_code == 401


WISHES = {
    "channels": ["sms", "email"],
    "language": "en",
    "quiet_from": "22:00",
    "quiet_to": "07:00",
    "email": "wang@example.org",
}


async def test_preferences_are_set_read_and_set_again(container: Container, world: World) -> None:
    async with world.client(world.app(service), signed_in(WANG)) as client:
        untouched = (await client.get("/v1/preferences")).json()
        made = await client.put("/v1/preferences", json=WISHES)
        changed = await client.put("/v1/preferences", json={"channels": []}, headers={"If-Match": made.headers["ETag"]})
        stale = await client.put("/v1/preferences", json=WISHES, headers={"If-Match": made.headers["ETag"]})
        found = (await client.get("/v1/preferences")).json()
    assert (untouched["channels"], untouched["language"]) == (None, "zh")
    assert made.json() == {**WISHES, "channels": ["email", "inbox", "sms"]}
    assert (changed.status_code, stale.status_code) == (200, 412)
    assert found == {"channels": ["inbox"], "language": "zh", "quiet_from": None, "quiet_to": None, "email": None}


async def test_an_address_is_nowhere_unencrypted(container: Container, world: World) -> None:
    async with world.client(world.app(service), signed_in(WANG)) as client:
        await client.put("/v1/preferences", json=WISHES)
    documents = await container.mongo.find("preferences", {}, limit=5)
    assert documents
    assert "wang@example.org" not in repr(documents)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"quiet_from": "25:00"}, "invalid"),
        ({"language": "fr"}, "language-unknown"),
        ({"channels": ["pigeon"]}, "invalid"),
        ({"email": "a@b\r\nBcc: c@d.org"}, "invalid"),
        ({"colour": "red"}, "invalid"),
        ({"quiet_to": None}, "quiet-hours-unfit"),
        ({"email": None}, "address-missing"),
    ],
)
async def test_wrong_preferences_are_refused_and_change_nothing(
    container: Container, world: World, wrong: dict[str, Any], code: str
) -> None:
    async with world.client(world.app(service), signed_in(WANG)) as client:
        refused: httpx.Response = await client.put("/v1/preferences", json={**WISHES, **wrong})
        assert (refused.status_code, refused.json()["code"]) == (422, code)
        assert (await client.get("/v1/preferences")).json()["channels"] is None
