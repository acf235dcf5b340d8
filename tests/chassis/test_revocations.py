"""Revoked tokens: what a service hears of sessions and accounts that end, and what its processes make of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

import httpx
import pytest

from services.chassis.domain.events import Event
from services.chassis.domain.refusals import TokenInvalid, Unavailable
from services.chassis.domain.scope import EVERY_TOKEN, NOBODY, Actor
from services.chassis.domain.values import Instant, now
from services.chassis.messaging import effects
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka import Incoming
from services.chassis.messaging.revoking import revoking
from services.chassis.storage import revocations
from services.chassis.storage.mongo import New
from services.chassis.storage.revocations import BELOW, COLLECTION, FIELD, Revocations, Source
from services.chassis.usecase import Container
from tests.support import toy
from tests.support.world import World

HEARD = Source(COLLECTION, FIELD, BELOW)
READER = Actor("account_1", frozenset({"keeper"}), ("1507",), person="person_1", session="session_1")
SOON = timedelta(seconds=5)


class StayEnded(Event):
    """A stay of somebody ended."""

    schema_version: ClassVar[int] = 1

    tokens_until: Instant
    tokens_below: int = EVERY_TOKEN


@pytest.fixture
async def container(world: World) -> AsyncIterator[Container]:
    opened = await world.container(toy.shop)
    yield opened
    await opened.mongo.close()


async def hear(container: Container, subject: str, *, until: datetime, below: int = EVERY_TOKEN) -> None:
    """Let the service hear that a stay is over."""
    reaction = revoking(StayEnded)
    record = Incoming("toys", 0, 0, subject, b"{}", {})
    event = StayEnded(tokens_until=until, tokens_below=below)
    delivered = Delivered(
        f"{subject}:2",
        StayEnded.type_name(),
        1,
        subject,
        2,
        now(),
        "somebody",
        None,
        event.model_dump(mode="json"),
        record,
    )
    handled = await reaction.batch(container, [delivered])
    await effects.write(container, reaction, [(delivered, await handled(delivered))])


async def heard(running: Revocations, session: str) -> None:
    """Wait until a process knows of the end of a session."""
    with running.ending(replace(READER, session=session)) as signal:
        async with asyncio.timeout(SOON.total_seconds()):
            await signal.wait()


async def revoked(container: Container, actor: Actor = READER) -> bool:
    """Whether a process that has just started takes the actor's token."""
    return await Revocations(container.mongo, [HEARD], container.clock).include(actor)


@pytest.mark.parametrize("ended", ["session_1", "account_1"])
async def test_the_end_of_a_session_and_of_an_account_revoke_its_tokens_and_no_others(
    container: Container, ended: str
) -> None:
    await hear(container, ended, until=now() + timedelta(minutes=15))
    assert await revoked(container)
    assert not await revoked(container, replace(READER, id="account_2", session="session_2"))
    assert not await revoked(container, NOBODY)


async def test_other_rights_revoke_the_tokens_of_before_and_an_end_all_of_them(container: Container) -> None:
    until = now() + timedelta(minutes=15)
    numbers = [replace(READER, grants=number) for number in range(3)]
    await hear(container, "account_1", until=until, below=2)
    await hear(container, "account_1", until=until, below=1)  # late
    assert [await revoked(container, one) for one in numbers] == [True, True, False]
    await hear(container, "account_1", until=until)
    assert [await revoked(container, one) for one in numbers] == [True, True, True]


async def test_a_stream_ends_with_the_rights_of_its_token_and_that_of_the_next_token_goes_on(
    container: Container,
) -> None:
    running = Revocations(container.mongo, [HEARD], container.clock)
    following = asyncio.create_task(running.follow())
    with running.ending(READER) as before, running.ending(replace(READER, grants=1)) as after:
        await hear(container, "account_1", until=now() + timedelta(minutes=15), below=1)
        async with asyncio.timeout(SOON.total_seconds()):
            await before.wait()
        assert not after.is_set()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


@pytest.mark.parametrize("ended", ["session_1", "account_1"])
async def test_what_is_asked_of_the_database_holds_at_once_whatever_the_process_has_heard(
    container: Container, ended: str
) -> None:
    running = Revocations(container.mongo, [HEARD], container.clock)
    assert not await running.include(READER)
    await running.expect_live(READER)
    await hear(container, ended, until=now() + timedelta(minutes=15))
    assert not await running.include(READER)
    with pytest.raises(TokenInvalid):
        await running.expect_live(READER)
    await running.expect_live(replace(READER, id="account_2", session="session_2"))
    await running.expect_live(NOBODY)


async def test_an_end_that_is_heard_of_twice_or_too_late_changes_nothing(container: Container) -> None:
    await hear(container, "session_1", until=now() - timedelta(seconds=1))
    assert not await revoked(container)
    for _ in range(2):
        await hear(container, "session_1", until=now() + timedelta(minutes=15))
    assert await container.mongo.count(COLLECTION, {}, limit=10) == 1


async def test_the_database_forgets_what_no_token_can_claim_any_more(container: Container) -> None:
    known = await container.mongo.command("listIndexes", COLLECTION)
    assert [one for one in known["cursor"]["firstBatch"] if one.get("expireAfterSeconds") == 0]
    await container.mongo.insert(COLLECTION, {"_id": "session_1", FIELD: now() - timedelta(seconds=1)})
    assert not await revoked(container)


async def test_more_than_one_read_brings_are_all_known(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocations, "_BATCH", 7)
    until = now() + timedelta(hours=1)
    ends = {f"session_{n}": until + timedelta(seconds=n // 20) for n in range(50)}
    await container.mongo.bulk(COLLECTION, [New({"_id": id, FIELD: end}) for id, end in ends.items()])
    started = Revocations(container.mongo, [HEARD], container.clock)
    assert [await started.include(replace(READER, session=id)) for id in ends] == [True] * 50


async def test_a_running_process_hears_of_an_end_within_seconds_also_after_the_clock_was_set_back(
    container: Container,
) -> None:
    ahead = timedelta(days=3)
    running = Revocations(container.mongo, [HEARD], lambda: now() + ahead)
    following = asyncio.create_task(running.follow())
    await container.mongo.insert(COLLECTION, {"_id": "session_0", FIELD: now() + ahead + timedelta(hours=1)})
    await heard(running, "session_0")
    ahead = timedelta()
    await hear(container, "session_1", until=now() + timedelta(minutes=15))
    await heard(running, "session_1")
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_an_end_that_was_written_late_is_found_by_the_full_read_and_one_that_is_over_is_dropped(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "_ALL_SECONDS", 0.5)
    ahead = timedelta()
    running = Revocations(container.mongo, [HEARD], lambda: now() + ahead)
    following = asyncio.create_task(running.follow())
    await container.mongo.insert(COLLECTION, {"_id": "session_0", FIELD: now() + timedelta(minutes=59)})
    await heard(running, "session_0")
    await container.mongo.insert(COLLECTION, {"_id": "session_1", FIELD: now() + timedelta(minutes=40)})
    await heard(running, "session_1")
    ahead = timedelta(minutes=50)
    async with asyncio.timeout(SOON.total_seconds()):
        while await running.include(replace(READER, session="session_1")):  # noqa: ASYNC110 - nobody calls
            await asyncio.sleep(0.1)
    assert await running.include(replace(READER, session="session_0"))
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_a_process_that_cannot_read_for_ten_seconds_takes_no_token_until_it_can(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = Revocations(container.mongo, [HEARD], container.clock)
    assert not await running.include(READER)
    monkeypatch.setattr(revocations, "_STALE_SECONDS", 0)
    attempts: list[object] = []

    async def away(*_: object) -> dict[str, datetime]:
        attempts.append(_)
        await asyncio.sleep(0.1)
        raise Unavailable(retry_after=1)

    with monkeypatch.context() as patched:
        patched.setattr(Revocations, "_since", away)
        answers = await asyncio.gather(*(running.include(READER) for _ in range(20)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 20
    assert len(attempts) == 1, "all wait for one attempt"
    assert not await running.include(READER)


async def test_what_goes_on_with_a_token_gets_a_signal_when_it_is_revoked(container: Container) -> None:
    running = Revocations(container.mongo, [HEARD], container.clock)
    following = asyncio.create_task(running.follow())
    with running.ending(READER) as mine, running.ending(replace(READER, id="x", session="y")) as other:
        await hear(container, "session_1", until=now() + timedelta(minutes=15))
        async with asyncio.timeout(SOON.total_seconds()):
            await mine.wait()
        assert not other.is_set()
    with running.ending(READER) as late:
        assert late.is_set()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_an_application_refuses_a_revoked_token_from_its_first_request_on(
    container: Container, world: World
) -> None:
    await hear(container, "account_1", until=now() + timedelta(minutes=15))
    app = world.app(toy.shop)
    async with world.client(app, READER) as client:
        answer = await client.get("/v1/jars")
        assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")
    async with world.client(app, replace(READER, id="account_2")) as client:
        assert (await client.get("/v1/jars")).status_code == 200


async def test_a_process_is_not_ready_before_it_knows_which_tokens_are_revoked(
    world: World, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = world.app(toy.shop)

    async def readiness() -> httpx.Response:
        async with world.client(app) as client:
            return await client.get("/readyz")

    with monkeypatch.context() as patched:
        patched.setattr(Revocations, "_since", _unreadable)
        answer = await readiness()
        assert (answer.status_code, answer.json()["checks"]["revocations"] != "ok") == (503, True)
    answer = await readiness()
    assert (answer.status_code, answer.json()["checks"]["revocations"]) == (200, "ok")


async def _unreadable(*_: object) -> dict[str, datetime]:
    raise ConnectionError("the collection cannot be read")
