"""A process: its settings, its start and its orderly stop."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import Ports
from services.chassis.domain.values import now
from services.chassis.messaging.kafka import create_topics
from services.chassis.runtime import worker as workers
from services.chassis.runtime.settings import SettingsMissing, load
from services.chassis.runtime.worker import Worker
from services.chassis.storage import migrations
from services.chassis.storage.mongo import connect
from services.chassis.usecase import Context
from services.notify.app import service as notify
from tests.support import toy
from tests.support.operating import environment
from tests.support.road import until
from tests.support.world import World

NEEDED = ("CITY_DATA", "KAFKA", "PORT", "JWKS", "MASTER_KEY_FILE")
ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def process(role: str, environment: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of members; it does not outlive the test."""
    words = [sys.executable, "-m", "services.members", role]
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(*words, env=environment, cwd=ROOT, stdout=pipe, stderr=pipe)
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


def test_all_settings_that_are_missing_or_wrong_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("LINLI_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LINLI_SLOT", "minus one")
    monkeypatch.setenv("LINLI_SMS_URL", "https://sms.example")
    monkeypatch.setenv("LINLI_MONGO_DRIVER", "oracle")
    with pytest.raises(SettingsMissing) as missing:
        load("notify", notify.settings)
    for name in (*NEEDED, "SLOT", "MONGO_DRIVER", "MONGO_NOTIFY", "SMS_SECRET_FILE"):
        assert f"LINLI_{name}:" in str(missing.value)


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ({"sms_url": "https://sms.example"}, "LINLI_SMS_SECRET_FILE: set it and LINLI_SMS_URL, or neither"),
        ({"sms_secret_file": "secret"}, "LINLI_SMS_SECRET_FILE: set it and LINLI_SMS_URL, or neither"),
        ({"smtp_user": "linli"}, "LINLI_SMTP_PASSWORD_FILE: set it and LINLI_SMTP_USER, or neither"),
        (
            {"sms_url": "https://sms.example", "sms_secret_file": "nowhere"},
            "LINLI_SMS_SECRET_FILE: Path does not point",
        ),
    ],
)
def test_what_belongs_together_is_set_together(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], lacking: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("s")
    for name, value in environment(world.settings()).items():
        monkeypatch.setenv(name, value)
    load("notify", notify.settings)
    for name, value in given.items():
        monkeypatch.setenv(f"LINLI_{name.upper()}", value)
    with pytest.raises(SettingsMissing, match=lacking):
        load("notify", notify.settings)


async def test_a_process_needs_the_database_of_its_own_service_and_no_other(world: World) -> None:
    result = environment(world.settings())
    own, others = "LINLI_MONGO_MEMBERS", ("LINLI_MONGO_REQUESTS", "LINLI_MONGO_NOTIFY")
    async with process("web", {name: value for name, value in result.items() if name != own}) as running:
        _, err = await running.communicate()
    assert running.returncode == 2
    assert err.decode() == f"settings are missing or wrong: {own}: Field required\n"
    async with process("migrate", {name: value for name, value in result.items() if name not in others}) as running:
        _, err = await running.communicate()
    assert (running.returncode, err) == (0, b"")


@pytest.mark.parametrize("role", ["web", "worker", "migrate"])
async def test_a_process_that_would_not_sign_in_at_its_stores_ends_at_once(world: World, role: str) -> None:
    known = environment(world.settings())
    async with process(role, {**known, "LINLI_ALLOW_OPEN_STORES": "false"}) as running:
        _, err = await running.communicate()
    assert running.returncode == 2
    assert err.decode().startswith("settings are missing or wrong: LINLI_MONGO_PASSWORD_FILE: members does not sign in")


async def test_a_process_without_settings_says_so_in_one_line_and_ends_with_2() -> None:
    async with process("web", {"PATH": os.environ["PATH"]}) as running:
        out, err = await running.communicate()
    assert (running.returncode, out) == (2, b"")
    assert err.decode().count("\n") == 1
    assert b"LINLI_KAFKA" in err


@pytest.mark.parametrize("words", ["fly", ""])
async def test_a_word_that_is_no_role_is_answered_with_the_roles(words: str) -> None:
    async with process(words, dict(os.environ)) as running:
        _, err = await running.communicate()
    assert running.returncode == 2
    assert b"web|worker|migrate" in err


async def test_migrations_may_be_repeated_and_readiness_waits_for_them(world: World) -> None:
    mongo = connect(world.settings().database("members"))
    lacking = await migrations.missing(mongo, toy.shop.kinds)
    assert "jars(pending)" in lacking
    async with world.client(world.app(toy.shop)) as client:
        before = await client.get("/readyz")
        for _ in range(2):
            await migrations.build(mongo, toy.shop.kinds)
        after = await client.get("/readyz")
    assert await migrations.missing(mongo, toy.shop.kinds) == []
    assert (before.status_code, after.status_code) == (503, 200)
    assert "linli migrate" in before.json()["checks"]["indexes"]
    await mongo.close()


@pytest.mark.parametrize("role", ["web", "worker"])
async def test_a_process_stops_orderly_on_sigterm(world: World, role: str) -> None:
    port = Ports.free().members_web
    settings = world.settings(port=port)
    async with process("migrate", environment(settings)) as migrating:
        _, err = await migrating.communicate()
    assert (migrating.returncode, err) == (0, b"")
    await create_topics(settings.kafka, {"requests": settings.topic("requests")}, 1)  # to which members listens
    mongo = connect(settings.database("members"))
    async with process(role, environment(settings)) as running, httpx.AsyncClient() as client:

        async def ready() -> bool:
            try:
                return (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        async def at_work() -> bool:
            return role == "web" or await mongo.find_one("leases", {"_id": "relay"}) is not None

        await until(ready)
        await until(at_work)
        running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(25):
            out, err = await running.communicate()
    assert err == b""
    assert running.returncode in (0, -signal.SIGTERM) if role == "web" else running.returncode == 0
    assert b"Traceback" not in out
    assert await mongo.find("leases", {}, limit=9) == []
    await mongo.close()


async def test_a_worker_that_is_stopped_ends_what_its_timers_are_at(world: World) -> None:
    container, begun = await world.container(toy.shop), asyncio.Event()

    async def slow(ctx: Context, id: str) -> toy.Jar:
        begun.set()
        await asyncio.sleep(0.5)
        return await toy.ripen(ctx, id)

    jar = await toy.open_jar(container.context(toy.KEEPER, "test"), toy.OpenJar(label="plums"))
    await container.mongo.update("jars", {"_id": jar.id}, {"$set": {"state.ripe_at": now()}})
    settings = world.settings(port=Ports.free().members_web)
    shop = replace(toy.shop, timers=(replace(toy.shop.timers[0], work=slow),))
    worker = Worker(shop, settings)
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(20):
        await begun.wait()
        worker.stop()
        await running
    assert (await container.context(toy.KEEPER, "read").store.get(toy.Jar, jar.id)).ripened == 1
    assert await container.mongo.find("leases", {}, limit=9) == []
    await container.mongo.close()


async def test_a_worker_that_is_stopped_does_not_wait_for_a_timer_that_hangs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_DRAIN_SECONDS", 0.5)
    container, begun = await world.container(toy.shop), asyncio.Event()

    async def hanging(ctx: Context, id: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    jar = await toy.open_jar(container.context(toy.KEEPER, "test"), toy.OpenJar(label="plums"))
    await container.mongo.update("jars", {"_id": jar.id}, {"$set": {"state.ripe_at": now()}})
    shop = replace(toy.shop, timers=(replace(toy.shop.timers[0], work=hanging),))
    worker = Worker(shop, world.settings(port=Ports.free().members_web))
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(20):
        await begun.wait()
    worker.stop()
    async with asyncio.timeout(8):
        await running
    assert await container.mongo.find("leases", {}, limit=9) == []
    await container.mongo.close()


@pytest.mark.parametrize(
    "away",
    [{"kafka": "127.0.0.1:1"}, {"mongo": {"requests": "mongodb://127.0.0.1:1/away?serverSelectionTimeoutMS=200"}}],
)
async def test_a_worker_waits_for_what_is_away_and_stops_soon_on_a_signal(world: World, away: dict[str, Any]) -> None:
    worker = Worker(toy.hall, world.settings(port=Ports.free().requests_web, **away))
    running = asyncio.create_task(worker.run())
    assert not (await asyncio.wait([running], timeout=3))[0]
    worker.stop()
    async with asyncio.timeout(8):
        await running
