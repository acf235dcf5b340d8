"""The audit log: what an answer shows or refuses is recorded before it leaves, or nothing leaves."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest

from services.chassis.domain.refusals import Unavailable
from services.chassis.domain.scope import Actor
from services.chassis.domain.values import now
from services.chassis.guards import visible
from services.chassis.operations.answering import quietly
from services.chassis.operations.ledger.chains import Chains
from services.chassis.storage.audit import COLLECTION, Action, Audit, AuditAway, Note
from services.chassis.storage.mongo import Document, Mongo, New, Put
from services.chassis.storage.vault import Opened, UnauditedAccess
from services.chassis.telemetry import metrics
from services.chassis.usecase import Container
from tests.support import toy
from tests.support.toy import Jar
from tests.support.world import World, keyed

KEEPERS = frozenset({"keeper", "inspector"})
ANN = Actor("person_ann", frozenset({"keeper"}), person="person_ann")
EVE = Actor("eve", KEEPERS, ("1507",), person="person_eve")
NAME = "其其格"


async def owned(container: Container, keeper: str = "person_ann") -> Jar:
    """A jar with its keeper's name sealed in it."""
    ctx = container.context(Actor(keeper, frozenset({"keeper"})), secrets.token_hex(8), within=visible)
    await ctx.vault.mint(keeper, ctx.now())
    async with ctx.store.create(Jar) as jar:
        jar.record(toy.JarOpened(label="plums", keeper=keeper, owner=ctx.vault.seal(NAME, keeper, "owner")))
    return jar


async def result(container: Container) -> list[Document]:
    """All entries, in their order."""
    return await container.mongo.find(COLLECTION, {}, sort=[("_id", 1)], limit=1000)


async def brief(container: Container) -> list[tuple[Any, ...]]:
    return [(e["actor"], e["action"], e["usecase"].rpartition(".")[2], e["subjects"]) for e in await result(container)]


def refuse_writes(container: Container) -> Any:
    """Make the database take no more entries."""
    return container.mongo.command("collMod", COLLECTION, validator={"never": {"$exists": True}})


@pytest.fixture
async def client(world: World, shop: Container) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody of the staff, who sees the jars of the city."""
    async with world.client(world.app(toy.shop), EVE) as client:
        yield client


async def test_anyone_who_reads_somebody_elses_sealed_data_is_in_the_log(
    shop: Container, client: httpx.AsyncClient
) -> None:
    jar, trace = await owned(shop), secrets.token_hex(16)
    answer = await client.get(f"/v1/jars/{jar.id}", headers={"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"})
    assert answer.json()["owner"] == NAME
    [entry] = await result(shop)
    assert (entry["actor"], entry["roles"], entry["action"]) == ("eve", ["inspector", "keeper"], "read")
    assert (entry["about"], entry["subjects"], entry["count"]) == ([jar.id], ["person_ann"], 1)
    assert (entry["trace"], entry["code"], entry["n"]) == (trace, None, 1)
    assert entry["usecase"].endswith(".get_jar")
    assert NAME not in str(entry)


async def test_the_own_data_and_what_is_not_sealed_may_be_read_without_an_entry(world: World, shop: Container) -> None:
    jar, plain = await owned(shop), await toy.open_jar(shop.context(ANN, "plain"), toy.OpenJar(label="a"))
    async with world.client(world.app(toy.shop), ANN) as client:
        for id in (jar.id, plain.id):
            assert (await client.get(f"/v1/jars/{id}")).status_code == 200
        assert (await client.get("/v1/jars")).json()["items"][0]["id"]
    assert await result(shop) == []


async def test_a_page_of_a_list_is_one_entry_with_all_whose_data_it_shows(
    shop: Container, client: httpx.AsyncClient
) -> None:
    for name in ("person_ann", "person_ben", "person_ann"):
        await owned(shop, name)
    assert len((await client.get("/v1/jars")).json()["items"]) == 3
    assert await brief(shop) == [("eve", "list", "list_jars", ["person_ann", "person_ben"])]


async def test_what_a_change_shows_is_in_the_history_and_what_its_repeat_shows_in_the_log(
    shop: Container, client: httpx.AsyncClient
) -> None:
    jar, key = await owned(shop), keyed()
    first = await client.post(f"/v1/jars/{jar.id}/coins", json={"coins": 1}, headers=key)
    assert (first.status_code, await result(shop)) == (200, [])
    again = await client.post(f"/v1/jars/{jar.id}/coins", json={"coins": 1}, headers=key)
    assert again.json() == first.json()
    assert await brief(shop) == [("eve", "read", "drop_coin", ["person_ann"])]


async def test_anyone_who_is_refused_entry_or_sight_is_in_the_log(world: World, shop: Container) -> None:
    jar, app = await owned(shop), world.app(toy.shop)
    routes = [
        (None, "/v1/jars", ("anonymous", "sign-in-needed", [])),
        (Actor("ben", frozenset({"guest"})), f"/v1/jars/{jar.id}", ("ben", "forbidden", [jar.id])),
        (Actor("ben", frozenset({"keeper"})), f"/v1/jars/{jar.id}", ("ben", "not-found", [jar.id])),
        (Actor("ben", frozenset({"keeper"})), f"/v1/jars/{NAME}", ("ben", "not-found", [])),
    ]
    for actor, path, _ in routes:
        async with world.client(app, actor) as client:
            assert (await client.get(path)).is_client_error
    async with world.client(app) as client:
        assert (await client.get("/v1/jars", headers={"Authorization": "Bearer x.y.z"})).status_code == 401
    entries = [(e["actor"], e["code"], e["about"]) for e in await result(shop)]
    assert entries == [*(entry for _, _, entry in routes), ("anonymous", "token-invalid", [])]
    assert {e["action"] for e in await result(shop)} == {"refuse"}
    assert NAME not in str(await result(shop))


async def test_what_is_wrong_with_an_order_is_no_matter_for_the_log(shop: Container, client: httpx.AsyncClient) -> None:
    jar = await owned(shop)
    for path, body in (("/v1/jars", {"colour": "red"}), (f"/v1/jars/{jar.id}/coins", {"coins": 10**9})):
        assert (await client.post(path, json=body, headers=keyed())).status_code in (409, 422)
    assert (await client.post("/v1/jars", json={"label": "a"})).status_code == 428
    assert await result(shop) == []


async def test_nothing_leaves_when_the_log_cannot_be_written(shop: Container, client: httpx.AsyncClient) -> None:
    jar, before = await owned(shop), metrics.audit_failures._value.get()
    await refuse_writes(shop)
    for path in (f"/v1/jars/{jar.id}", "/v1/jars", f"/v1/jars/{jar.id[:-1]}x"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "audit-away", "2")
        assert NAME not in answer.text
    assert metrics.audit_failures._value.get() == before + 3
    await shop.mongo.command("collMod", COLLECTION, validator={})
    assert (await client.get(f"/v1/jars/{jar.id}")).json()["owner"] == NAME
    # The first was promised its place in the chain; those who came while it waited were refused and forgotten.
    assert [e["n"] for e in await result(shop)] == [1, 2]


async def test_a_stream_opens_data_only_of_those_in_its_audit_entry() -> None:
    opened = Opened()
    opened.note("person_ben")
    opened.note("person_ann")
    assert opened.close("person_ann") == ("person_ben",)
    opened.note("person_ben")
    opened.note("person_ann")
    with pytest.raises(UnauditedAccess):
        opened.note("person_eve")


def note(actor: str = "eve", subjects: Sequence[str] = ("person_ann",)) -> Note:
    return Note(now(), actor, ("keeper",), Action.READ, "toy.get_jar", subjects=tuple(subjects))


async def test_those_who_come_together_are_written_together(shop: Container) -> None:
    counted = Counting.on(shop)
    audit = Audit(counted, shop.vault.master, "shop-web-0")
    await asyncio.gather(*(audit.append(note(f"eve-{number}")) for number in range(50)))
    entries = await result(shop)
    assert [e["n"] for e in entries] == list(range(1, 51))
    assert {e["actor"] for e in entries} == {f"eve-{number}" for number in range(50)}
    await audit.close()
    assert counted.writes == [50]


async def test_an_entry_names_no_more_than_200_people_and_says_how_many_they_are(shop: Container) -> None:
    audit = Audit(shop.mongo, shop.vault.master, "shop-web-0")
    await audit.append(note(subjects=[f"person_{number:03}" for number in range(250)]))
    await audit.close()
    [entry] = await result(shop)
    assert (len(entry["subjects"]), entry["count"]) == (200, 250)


@pytest.mark.parametrize("lost", ["question", "answer"])
async def test_entries_whose_outcome_is_unknown_are_written_again_once_and_in_their_place(
    shop: Container, lost: str
) -> None:
    counted = Counting.on(shop)
    audit = Audit(counted, shop.vault.master, "shop-web-0")
    await audit.append(note("first"))
    counted.lost = lost
    with pytest.raises(AuditAway):
        await audit.append(note("second"))
    counted.lost = ""
    await audit.append(note("third"))
    await audit.close()
    assert [e["actor"] for e in await result(shop)] == ["first", "second", "third"]
    chains = Chains(shop.mongo, shop.vault.master, quietly)
    await chains.read()
    assert chains.line.examples == []


class Counting(Mongo):
    """A database on which the writes of entries are counted, and are lost on the way when told so, or their answers."""

    writes: list[int]
    lost: str

    @classmethod
    def on(cls, container: Container) -> "Counting":
        """On the database of a house."""
        counting = cls(container.mongo._client, container.mongo._database.name)
        counting.writes, counting.lost = [], ""
        return counting

    async def bulk(self, name: str, writes: Sequence[Put | New]) -> int:
        """As ever, and counted."""
        if writes and self.lost == "question":
            raise Unavailable(retry_after=2)
        changed = await super().bulk(name, writes)
        self.writes += [len(writes)] if writes else []
        if writes and self.lost == "answer":
            raise Unavailable(retry_after=2)
        return changed
