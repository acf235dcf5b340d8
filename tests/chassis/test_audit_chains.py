"""The audit log is whole, or the check names the entry that was changed or removed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from services.chassis.domain.checks import CheckResult
from services.chassis.domain.events import canonical_bytes, chained
from services.chassis.domain.values import now
from services.chassis.operations.answering import quietly
from services.chassis.operations.ledger.chains import Chains, audit
from services.chassis.operations.protocol import AuditRequest
from services.chassis.storage import archive
from services.chassis.storage.audit import COLLECTION, HEADS, Action, Audit, Note, id_of, seal
from services.chassis.storage.mongo import Put
from services.chassis.usecase import Container
from tests.support import toy
from tests.support.world import World

FIRST = now() - timedelta(days=30)


async def written(container: Container, count: int, name: str = "shop-web-0") -> Audit:
    """The log of a process with this many entries, a day apart, that has ended."""
    log = Audit(container.mongo, container.vault.master, name)
    for number in range(count):
        at = FIRST + timedelta(days=number)
        await log.append(Note(at, "eve", ("keeper",), Action.READ, "jars.get_jar", subjects=("person_ann",)))
    await log.close()
    return log


async def judged(container: Container, **more: object) -> CheckResult:
    chains = Chains(container.mongo, container.vault.master, quietly)
    await chains.read(**more)  # type: ignore[arg-type]
    return chains.line


async def test_logs_that_nobody_touched_are_whole(shop: Container) -> None:
    for name, count in (("shop-web-1", 3), ("shop-web-10", 2), ("shop-web-0", 1)):
        await written(shop, count, name)
    line = await judged(shop)
    assert (line.examples, dict(line.counts)) == ([], {"chains": 3, "entries": 6, "read": 6})


async def test_a_log_that_is_being_written_raises_no_false_alarm(shop: Container) -> None:
    log, over = Audit(shop.mongo, shop.vault.master, "shop-web-0"), asyncio.Event()

    async def write() -> None:
        while not over.is_set():
            await log.append(Note(now(), "eve", (), Action.READ, "jars.get_jar"))

    writers = [asyncio.create_task(write()) for _ in range(4)]
    found = [example for _ in range(20) for example in (await judged(shop)).examples]
    over.set()
    await asyncio.gather(*writers)
    await log.close()
    assert found == []


async def changed(container: Container, process: str) -> None:
    await container.mongo.update(COLLECTION, {"_id": id_of(process, 2)}, {"$set": {"actor": "somebody"}})


async def changed_with_its_hash(container: Container, process: str) -> None:
    """As somebody does who knows how it is made, but leaves those behind it as they are."""
    entry = await container.mongo.find_one(COLLECTION, {"_id": id_of(process, 2)})
    before = await container.mongo.find_one(COLLECTION, {"_id": id_of(process, 1)})
    assert entry and before
    entry["actor"] = "somebody"
    entry["hash"] = chained(before["hash"], canonical_bytes({n: v for n, v in entry.items() if n != "hash"}))
    await container.mongo.update(COLLECTION, {"_id": entry["_id"]}, {"$set": entry})


async def removed(container: Container, process: str) -> None:
    await container.mongo.delete(COLLECTION, {"_id": id_of(process, 2)})


async def shortened(container: Container, process: str) -> None:
    for n in (4, 5):
        await container.mongo.delete(COLLECTION, {"_id": id_of(process, n)})


async def shortened_with_its_head(container: Container, process: str) -> None:
    """As somebody does who has the database, but not the city's master key."""
    await shortened(container, process)
    last = await container.mongo.find_one(COLLECTION, {"_id": id_of(process, 3)})
    assert last
    await container.mongo.update(HEADS, {"_id": process}, {"$set": {"n": 3, "hash": last["hash"]}})


async def beheaded(container: Container, process: str) -> None:
    await container.mongo.delete(HEADS, {"_id": process})


async def emptied(container: Container, process: str) -> None:
    for n in range(1, 6):
        await container.mongo.delete(COLLECTION, {"_id": id_of(process, n)})


async def joined(container: Container, process: str) -> None:
    await container.mongo.insert(COLLECTION, {"_id": f"{process}:7", "actor": "eve"})


Damage = Callable[[Container, str], Awaitable[None]]

DAMAGES: list[tuple[Damage, list[str]]] = [
    (changed, ["{2}: was changed, or does not follow the entry before it"]),
    (changed_with_its_hash, ["{3}: was changed, or does not follow the entry before it"]),
    (removed, ["{2}: gone"]),
    (shortened, ["{4} to {5}: gone"]),
    (shortened_with_its_head, ["{process}: its head was not written by this service"]),
    (beheaded, ["{process}: its head is missing, so its length is unknown"]),
    (emptied, ["{1} to {5}: gone"]),
    (joined, ["{process}:7: is not an entry of this service"]),
]


@pytest.mark.parametrize(("damage", "named"), DAMAGES, ids=lambda value: getattr(value, "__name__", ""))
async def test_a_log_that_was_touched_is_named(shop: Container, damage: Damage, named: list[str]) -> None:
    process = (await written(shop, 5)).process
    await written(shop, 2, "shop-web-1")
    await damage(shop, process)
    ids = [id_of(process, n) for n in range(6)]
    assert (await judged(shop)).examples == [name.format(*ids, process=process) for name in named]


async def test_a_tail_rewritten_with_all_its_hashes_does_not_fit_its_head(shop: Container) -> None:
    process = (await written(shop, 3)).process
    previous = ""
    for n in (1, 2, 3):
        entry = await shop.mongo.find_one(COLLECTION, {"_id": id_of(process, n)})
        assert entry
        entry["actor"] = "somebody"
        previous = chained(previous, canonical_bytes({name: v for name, v in entry.items() if name != "hash"}))
        await shop.mongo.bulk(COLLECTION, [Put({"_id": entry["_id"]}, {"$set": {**entry, "hash": previous}})])
    assert (await judged(shop)).examples == [f"{id_of(process, 3)}: does not match the head"]


async def test_entries_whose_process_was_killed_before_it_wrote_the_head_are_no_breach(shop: Container) -> None:
    process = (await written(shop, 3)).process
    second = await shop.mongo.find_one(COLLECTION, {"_id": id_of(process, 2)})
    assert second
    head = {"n": 2, "hash": second["hash"], "seal": seal(shop.vault.master, process, 2, second["hash"])}
    await shop.mongo.update(HEADS, {"_id": process}, {"$set": head})
    assert (await judged(shop)).examples == []


async def test_only_what_was_written_since_then_is_read_and_still_a_missing_end_is_seen(shop: Container) -> None:
    process = (await written(shop, 5)).process
    await changed(shop, process)
    line = await judged(shop, since=FIRST + timedelta(days=2))
    assert (line.examples, line.counts["entries"]) == ([], 3)
    assert len((await judged(shop, since=FIRST + timedelta(days=1))).examples) == 1
    await shortened(shop, process)
    named = f"{id_of(process, 4)} to {id_of(process, 5)}: gone"
    for days in (2, 4, 20):
        assert (await judged(shop, since=FIRST + timedelta(days=days))).examples == [named]


async def test_one_byte_in_a_history_and_one_entry_removed_are_both_named(world: World, shop: Container) -> None:
    process = (await written(shop, 3)).process
    jars = [await toy.open_jar(shop.context(toy.KEEPER, f"a jar {n}"), toy.OpenJar(label="plums")) for n in range(3)]
    report = await audit(toy.shop, world.settings(), AuditRequest(), quietly)
    assert (report.clean, [line.check for line in report.lines]) == (True, ["A1", "L3"])
    await removed(shop, process)
    await shop.mongo.update("jars", {"_id": jars[1].id}, {"$set": {"history.0.data.label": "plumz"}})
    report = await audit(toy.shop, world.settings(), AuditRequest(), quietly)
    assert [example.partition(":")[0] for line in report.lines for example in line.examples] == [process, jars[1].id]


async def test_one_byte_in_an_archive_and_one_archived_event_removed_are_named(world: World, shop: Container) -> None:
    jars = [await full(shop, number) for number in range(3)]
    assert (await audit(toy.shop, world.settings(), AuditRequest(), quietly)).clean
    archived = archive.collection_of("jars")
    await shop.mongo.update(archived, {"_id": f"{jars[0]}:2"}, {"$set": {"data.coins": 7}})
    await shop.mongo.delete(archived, {"_id": f"{jars[1]}:2"})
    [_, histories] = (await audit(toy.shop, world.settings(), AuditRequest(), quietly)).lines
    assert {example.partition(":")[0] for example in histories.examples} == set(jars[:2])


async def full(container: Container, number: int) -> str:
    """A jar of which the oldest events stand in the archive."""
    jar = await toy.open_jar(container.context(toy.KEEPER, f"jar {number}"), toy.OpenJar(label="plums"))
    for coins in range(1, 6):
        await toy.drop_coin(container.context(toy.KEEPER, f"jar {number}, {coins}"), jar.id, toy.DropCoin(coins=coins))
    await container.mongo.update("jars", {"_id": jar.id}, {"$set": {"published": 6}, "$unset": {"pending": ""}})
    assert await archive.trim(container.mongo, "jars", jar.id, 4) == 4
    return jar.id
