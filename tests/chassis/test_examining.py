"""Examining: what is broken is named, one thing at a time, and what is well is said to be so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from services.chassis.messaging import control, switching
from services.chassis.messaging.kafka import PARTITIONS, Outgoing, Publisher, Reader
from services.chassis.operations.doctor import database, files
from services.chassis.operations.doctor import examine as module
from services.chassis.operations.doctor.examine import examine
from services.chassis.operations.doctor.findings import Finding
from services.chassis.runtime.settings import Settings
from services.chassis.storage.leases import Lease
from services.chassis.storage.mongo import DatabaseIndex
from services.members.accounts.settings import TokenSettings
from tests.chassis.ledger_city import City
from tests.support import toy
from tests.support.road import until
from tests.support.world import World

SIGNING = replace(toy.hall, settings=(TokenSettings,))


@pytest.fixture
async def city(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[City]:
    """A toy city at work: its relay and its workers are there."""
    monkeypatch.setattr(module, "SECONDS", 30.0)  # a busy machine is not what is looked for
    settings = world.settings()
    for file in (settings.master_key_file, *(tmp_path / "token-keys").iterdir()):
        file.chmod(0o600)
    world.overrides["token_keys"] = None
    async with City.open(world) as opened:
        yield opened


@asynccontextmanager
async def keeping_keys(city: City) -> AsyncIterator[None]:
    """A member of the group that reads the keys."""
    reader = Reader(city.world.kafka, [city.world.settings().topic("keys")], f"{city.group}.keys", "hall-0")
    await reader.start()
    yield
    await reader.stop()


async def look(city: City, **overrides: Any) -> dict[str, list[Finding]]:
    """What is not well in the hall, by what was looked at; the hall's relay is held and its consumer reads."""
    await Lease(city.hall.mongo, "relay", "requests-0", 60).acquire()
    async with city.consuming(), keeping_keys(city):
        found = await examine(toy.hall, city.world.settings(**overrides))
    named: dict[str, list[Finding]] = {}
    for finding in found:
        if finding.level != "ok":
            named.setdefault(finding.check, []).append(finding)
    return named


async def test_where_all_is_well_nothing_else_is_said(city: City) -> None:
    await city.jar(1)
    await city.settle()
    assert await look(city) == {}


async def test_an_index_that_is_missing_or_a_stranger_is_named(city: City) -> None:
    await city.hall.mongo.command("dropIndexes", "notes", index="pending_1")
    (missing,) = (await look(city))["indexes"]
    assert (missing.level, missing.said, missing.advice) == ("wrong", "missing: notes(pending)", "linli migrate")
    stranger = DatabaseIndex(("state.coins",))
    await city.hall.mongo.build_indexes("notes", [DatabaseIndex(("pending",), sparse=True), stranger])
    (strange,) = (await look(city))["indexes"]
    assert (strange.level, strange.said) == ("soon", "not ours: notes(state.coins)")


async def test_a_topic_that_is_configured_otherwise_is_named_with_the_command_that_repairs_it(city: City) -> None:
    topic = city.world.settings().topic("requests")
    admin = AIOKafkaAdminClient(bootstrap_servers=city.world.kafka)
    await admin.start()
    changed = {"retention.ms": "1000"}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, changed)])
    found: dict[str, list[Finding]] = {}

    async def named() -> bool:
        """The answer to a change may come before the broker that is asked has read it from its controller."""
        found.update(await look(city))
        return "topics" in found

    await until(named)
    await admin.delete_topics([topic])
    await admin.close()
    (wrong,) = found["topics"]
    assert wrong.said == f"{topic} has retention.ms=1000, not -1"
    assert f"--entity-name {topic} --add-config retention.ms=-1" in wrong.advice


async def test_a_topic_that_is_not_there_or_has_too_few_copies_is_named(city: City) -> None:
    found = await look(city, topic_replicas=3)
    assert [one.said.partition(" has ")[2] for one in found["topics"]] == [
        said for _ in range(2) for said in ("min.insync.replicas=1, not 2", "1 copies, LINLI_TOPIC_REPLICAS says 3")
    ]
    lost = await examine(toy.hall, city.world.settings(topic_prefix="nowhere"))
    advice = {one.said: one.advice for one in lost if one.check == "topics"}
    assert "republish --service requests --all --lost" in advice["nowhere.requests.v1 is missing"]


async def test_secrets_that_others_may_read_are_named(city: City) -> None:
    settings = city.world.settings()
    key = settings.master_key_file
    key.chmod(0o644)
    (open_,) = (await look(city))["secrets"]
    assert (open_.said, open_.advice) == (f"{key} can be read by others (0644)", f"chmod go= {key}")
    key.chmod(0o600)
    key.write_text("no key")
    assert "64 hexadecimal" in (await wrong_files(settings))[0].said
    key.unlink()
    assert "cannot be read" in (await wrong_files(settings))[0].said


async def wrong_files(settings: Settings) -> list[Finding]:
    """What is wrong with secrets and keys."""
    return [finding for finding in await files.look(settings, SIGNING) if finding.level == "wrong"]


async def test_a_key_that_signs_and_is_not_published_is_named(city: City, tmp_path: Path) -> None:
    folder = tmp_path / "token-keys"
    signing = city.world.settings(token_keys=folder)
    assert await wrong_files(signing) == []
    other = tmp_path / "other.json"
    other.write_text('{"keys": []}')
    (none,) = await wrong_files(signing.model_copy(update={"jwks": str(other)}))
    assert "holds no key that can be used" in none.said
    (folder / "0002.pem").write_text("no key")
    (folder / "0002.pem").chmod(0o600)
    (bad,) = await wrong_files(signing)
    assert "0002.pem is not an Ed25519 key" in bad.said


@pytest.mark.parametrize("part", ["database", "broker"])
async def test_what_does_not_answer_is_one_line(city: City, part: str) -> None:
    where: dict[str, dict[str, Any]] = {
        "database": {"mongo": {"requests": "mongodb://127.0.0.1:1/hall"}},
        "broker": {"kafka": "127.0.0.1:1"},
    }
    found = await examine(toy.hall, city.world.settings(**where[part]))
    silent = [one for one in found if "does not answer" in one.said]
    assert [one.check for one in silent] == [part]
    assert not any("cannot be examined" in one.said for one in found)
    assert len(found) > 3  # the other part was looked at


async def test_what_is_paused_parked_off_or_unfinished_is_named(city: City) -> None:
    mongo = city.hall.mongo
    await city.jar(1)
    await city.send("stranger", b"?", {})
    await city.settle()
    await mongo.insert("rebuilds", {"_id": "note"})
    await switching.turn_off(mongo, city.group, {"note-coins": "too loud"}, "operator somebody", {})
    await control.pause(mongo, city.group, "a look at it", "somebody")
    found = await look(city)
    assert {check: [one.level for one in all_] for check, all_ in found.items()} == {
        "parked": ["wrong"],
        "reactions": ["soon"],
        "consumer": ["soon"],
        "rebuild": ["soon"],
    }
    assert "1 for unreadable" in found["parked"][0].said
    assert found["reactions"][0].said.endswith("too loud")
    assert found["consumer"][0].advice == "linli consumer resume requests"
    await mongo.update("consumers", {"_id": city.group}, {"$set": {"state": "stopped", "reason": "all fails"}})
    (stopped,) = (await look(city))["consumer"]
    assert (stopped.level, stopped.said) == ("wrong", "stopped: all fails")


async def test_a_relay_that_nobody_runs_and_what_it_set_aside_are_named(city: City) -> None:
    await city.hall.mongo.insert("notes", {"_id": "note_x", "stuck": "too large"})
    await city.hall.mongo.insert("sums", {"_id": "sum_x", "pending": datetime.now(UTC) - timedelta(minutes=5)})
    found = await examine(toy.hall, city.world.settings())
    named = {one.check: one.said for one in found if one.level == "wrong"}
    assert named["leases"] == "no worker has relay"
    assert {one.said.partition(":")[0] for one in found if one.check == "relay"} == {
        "their events cannot be sent",
        next(one.said for one in found if one.said.startswith("1 entities wait")).partition(":")[0],
    }
    assert {one.said.partition(":")[2] for one in found if one.check == "groups" and one.level == "wrong"} == {
        " 0 members, 0 records behind"
    }


async def test_clocks_that_differ_are_named(city: City) -> None:
    at = datetime.now(UTC)
    assert database.skewed(at, at + timedelta(seconds=1.5), at + timedelta(seconds=1)).level == "ok"
    assert database.skewed(at, at + timedelta(seconds=3), at + timedelta(seconds=1)).level == "wrong"
    assert database.skewed(at, at - timedelta(seconds=2), at).said == "it differs from the database's by 2.0 s at least"


async def test_records_from_the_future_are_named(city: City) -> None:
    topic = city.world.settings().topic("requests")
    publisher = Publisher(city.world.kafka)
    producer = await publisher._started()
    later = int((datetime.now(UTC) + timedelta(hours=1)).timestamp() * 1000)
    await producer.send_and_wait(topic, b"{}", key=b"x", timestamp_ms=later)
    await publisher.send([Outgoing(topic, f"y{n}", b"{}", {}) for n in range(PARTITIONS)])
    await publisher.stop()
    (ahead,) = (await look(city))["timestamps"]
    assert ahead.said == f"1 partitions of {topic} have records with a time in the future"
