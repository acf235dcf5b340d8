"""The ledger against a driver's log: each command had its effect as often as its answer said."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from services.chassis.domain.values import now
from services.chassis.guards import visible
from services.chassis.operations.ledger.commands import LogUnreadable, each, read
from tests.chassis.ledger_city import City, counts, examples
from tests.support import toy
from tests.support.toy import Jar
from tests.support.world import World


class Driver:
    """Sends commands to the shop, over HTTP, and keeps a log."""

    def __init__(self, client: httpx.AsyncClient, log: Path) -> None:
        self._client, self._log = client, log
        log.touch()

    async def post(self, path: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send one command; the line that is logged."""
        start = now()
        answer = await self._client.post(path, json=body, headers={"Idempotency-Key": key})
        line = {
            "id": key,
            "method": "POST",
            "path": path,
            "actor": toy.KEEPER.id,
            "key": key,
            "entity": answer.json().get("id") if answer.is_success else None,
            "start": start,
            "end": now(),
            "outcome": "ok" if answer.is_success else "rejected",
            "status": answer.status_code,
            "version": None,
            "etag": answer.headers.get("ETag"),
        }
        self.write(line)
        return line

    def write(self, line: dict[str, Any], end: str = "\n") -> None:
        """Log anything."""
        with self._log.open("a") as log:
            log.write(orjson.dumps(line).decode() + end)


@pytest.fixture
async def driver(city: City, world: World, tmp_path: Path) -> AsyncIterator[Driver]:
    """A driver whose log is ``log.jsonl``."""
    async with world.client(world.app(toy.shop), toy.KEEPER) as client:
        yield Driver(client, tmp_path / "log.jsonl")


async def played(driver: Driver) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A jar opened, a coin dropped, and one refused: the jar is too small."""
    opened = await driver.post("/v1/jars", "k1", {"label": "small", "size": 5})
    coins = f"/v1/jars/{opened['entity']}/coins"
    return opened, await driver.post(coins, "k2", {"coins": 3}), await driver.post(coins, "k3", {"coins": 3})


async def broken(city: City, tmp_path: Path) -> dict[str, Any]:
    """The first example of each line with a breach."""
    await city.publish()
    report = await city.verify(toy.shop, log=tmp_path / "log.jsonl")
    return {line.check: line.examples[0] for line in report.lines if line.breaches}


async def test_an_honest_log_is_clean(city: City, driver: Driver, tmp_path: Path) -> None:
    _, _, refused = await played(driver)
    assert refused["outcome"] == "rejected"
    driver.write({"cut": "off"}, end="")
    await city.publish()
    report = await city.verify(toy.shop, log=tmp_path / "log.jsonl")
    assert report.clean
    assert counts(report, "L1") == {"accepted": 2}
    assert counts(report, "L2") == {"refused": 1}


async def test_an_accepted_command_without_an_effect_is_caught(city: City, driver: Driver, tmp_path: Path) -> None:
    opened, _, _ = await played(driver)
    driver.write({**opened, "key": "lost", "id": "lost"})
    assert list(await broken(city, tmp_path)) == ["L1"]


async def test_an_answer_with_another_version_than_the_history_has_is_caught(
    city: City, driver: Driver, tmp_path: Path
) -> None:
    _, dropped, _ = await played(driver)
    driver.write({**dropped, "etag": '"9"', "outcome": "unknown"})
    assert await broken(city, tmp_path) == {}
    (tmp_path / "log.jsonl").unlink()
    driver.write({**dropped, "etag": '"9"'})
    assert list(await broken(city, tmp_path)) == ["L1"]


async def test_a_refused_command_that_had_its_effect_is_caught(city: City, driver: Driver, tmp_path: Path) -> None:
    opened, _, _ = await played(driver)
    await toy.drop_coin(
        city.shop.context(toy.KEEPER, f"http:keeper:POST:/v1/jars/{opened['entity']}/coins:k3"),
        opened["entity"],
        toy.DropCoin(coins=1),
    )
    assert list(await broken(city, tmp_path)) == ["L2"]


@pytest.mark.parametrize("key", ["k2", "never"])
async def test_an_unknown_command_may_have_had_its_effect_or_not(
    city: City, driver: Driver, tmp_path: Path, key: str
) -> None:
    _, dropped, _ = await played(driver)
    log = tmp_path / "log.jsonl"
    log.write_bytes(orjson.dumps({**dropped, "key": key, "outcome": "unknown", "etag": None, "status": None}) + b"\n")
    assert await broken(city, tmp_path) == {}


async def test_a_command_that_had_its_effect_twice_is_caught_also_without_a_log(
    city: City, driver: Driver, tmp_path: Path
) -> None:
    opened, dropped, _ = await played(driver)
    jar = opened["entity"]
    cause = f"http:keeper:POST:{dropped['path']}:k2"
    # As a house without the look for the cause would write it: the cause is changed before the chain is made.
    ctx = city.shop.context(toy.KEEPER, "http:another", within=visible)
    async with ctx.store.change(Jar, jar) as entity:
        object.__setattr__(ctx.store._origin, "cause", cause)
        entity.record(toy.CoinDropped(coins=1))
    found = await broken(city, tmp_path)
    assert set(found) == {"L1", "L8"}
    assert "2 times" in found["L1"]


def test_a_line_that_is_none_is_named(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"id": "a"}\n')
    with pytest.raises(LogUnreadable, match=r"line 1: .*method"):
        read(log, [toy.routes])
    log.write_bytes('{"id": "呼'.encode()[:-1])  # cut off within a character
    assert list(each(log)) == []
    log.write_bytes(b'{"id": "\xb0"}\n')
    with pytest.raises(LogUnreadable, match=r"line 1: .*JSON"):
        list(each(log))
    with pytest.raises(LogUnreadable, match="No such file"):
        read(tmp_path / "none", [toy.routes])


async def test_the_strongest_of_several_tries_counts(city: City, driver: Driver, tmp_path: Path) -> None:
    _, dropped, _ = await played(driver)
    driver.write({**dropped, "outcome": "unknown", "etag": None})
    await city.publish()
    report = await city.verify(toy.shop, log=tmp_path / "log.jsonl")
    assert report.clean
    assert counts(report, "L1") == {"accepted": 2}
    assert examples(report, "L1") == []
