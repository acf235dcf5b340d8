"""What stays of callers whom nobody knows: counters that the database forgets, and a line in the audit log."""

from datetime import timedelta

import httpx

from services.chassis.storage import audit, counters
from tests.members.support import GATEWAY_SAYS, Clock, Members

EVIDENCE = {audit.COLLECTION, audit.HEADS}
"""A refusal is noted, without a word of what was typed."""
LONGEST = timedelta(hours=25)
"""A code asked for counts for a day."""


async def counted(members: Members) -> dict[str, int]:
    """How many documents each collection has."""
    database = members.container.mongo._database
    return {name: await database[name].estimated_document_count() for name in await database.list_collection_names()}


async def tried(client: httpx.AsyncClient, number: int) -> None:
    """Everything that asks who somebody is, with names, codes and tokens that nobody has."""
    headers = {GATEWAY_SAYS: f"203.0.113.{number}", "Idempotency-Key": f"stranger-{number}"}
    for path, body in {
        "/v1/sign-in/staff": {"login": f"nobody-{number}", "password": "guessed", "otp": "123456"},
        "/v1/sign-in/tokens": {"phone": f"1380000{number:04}", "code": "123456"},
        "/v1/sign-in/refresh": {"refresh_token": f"session_{number:032}.1.{number:064}"},
    }.items():
        answer = await client.post(path, json=body, headers=headers)
        assert answer.status_code == 401, answer.text


async def test_logins_phones_and_tokens_that_nobody_has_leave_only_counters(members: Members) -> None:
    before = await counted(members)
    async with members.client() as client:
        for number in range(8):
            await tried(client, number)
    after = await counted(members)
    assert {name for name, found in after.items() if found != before.get(name, 0)} - EVIDENCE == {counters.COLLECTION}


async def test_every_counter_is_forgotten_by_the_database(members: Members, clock: Clock) -> None:
    async with members.client() as client:
        await tried(client, 1)
        asked = {"phone": "13800009999"}
        assert (await client.post("/v1/sign-in/codes", json=asked, headers={"Idempotency-Key": "c"})).is_success
    collection = members.container.mongo._database[counters.COLLECTION]
    kept = await collection.find({}).to_list(None)
    assert kept
    assert all(one[counters.FIELD] <= clock.now() + LONGEST for one in kept)
    indexes = await collection.index_information()
    assert [one for one in indexes.values() if one.get("expireAfterSeconds") == 0]


async def test_a_phone_that_is_asked_for_again_and_again_stays_one_phone(members: Members, clock: Clock) -> None:
    async with members.client() as client:
        sizes = []
        for number in range(4):
            headers = {GATEWAY_SAYS: f"203.0.113.{number}", "Idempotency-Key": f"again-{number}"}
            answer = await client.post("/v1/sign-in/codes", json={"phone": "13800009998"}, headers=headers)
            assert answer.is_success, answer.text
            found = await counted(members)
            sizes.append({name: count for name, count in found.items() if name not in {counters.COLLECTION, *EVIDENCE}})
            clock.forward(seconds=61)
    assert sizes[1:] == sizes[:1] * 3
