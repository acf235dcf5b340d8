"""Logs: what failed and why, once, under its trace; never what somebody wrote."""

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, redirect_stdout
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from deploy.local import Ports
from services.chassis.domain.refusals import Unavailable
from services.chassis.http.problems import Broken
from services.chassis.runtime import service
from services.chassis.storage.revocations import Revocations
from services.chassis.telemetry import logs, metrics
from services.chassis.usecase import Container
from tests.support import toy
from tests.support.road import until
from tests.support.world import World, keyed

CANARY = "13800000000"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Lines:
    """What this process logs."""

    def __init__(self) -> None:
        self.out = io.StringIO()

    @property
    def text(self) -> str:
        """All of it so far."""
        return self.out.getvalue()

    def of(self, event: str) -> list[dict[str, Any]]:
        """The lines that say this."""
        found = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in found if line["event"] == event]


@contextmanager
def logged() -> Iterator[Lines]:
    """Logging as in a process, as long as the block lasts."""
    lines = Lines()
    with redirect_stdout(lines.out):
        logs.start("members", "web", "info")
        yield lines


def fail() -> None:
    """Fail as a parser does: its text repeats what it was given; then as we do."""
    try:
        int(CANARY + "x")
    except ValueError as error:
        raise Unavailable(retry_after=2) from error


def test_a_process_leaves_a_line_when_it_starts() -> None:
    with logged() as lines:
        logs.started("1.2.3")
    (line,) = lines.of("the process started")
    assert (line["service"], line["role"], line["version"], line["pid"]) == ("members", "web", "1.2.3", os.getpid())


def test_errors_of_others_are_logged_by_class_and_place_and_ours_with_their_text() -> None:
    with logged() as lines:
        try:
            fail()
        except Unavailable:
            logs.get().exception("it failed")
    (line,) = lines.of("it failed")
    first, second = line["exception"].split("which led to\n")
    assert first.startswith("Traceback (most recent call last):\n")
    assert "in fail" in first
    assert first.endswith("\nValueError\n")
    assert second.splitlines()[-1].startswith("Unavailable: unavailable")
    assert second.endswith("from ValueError")
    assert CANARY not in lines.text


def test_what_is_suppressed_is_not_logged_and_a_group_with_all_its_parts() -> None:
    with logged() as lines:
        try:
            try:
                raise KeyError(CANARY)
            except KeyError:
                raise ExceptionGroup(CANARY, [ValueError(CANARY), Broken(trace_id=TRACE)]) from None
        except ExceptionGroup as error:
            logs.get().error("it failed", exc_info=error)
    result = lines.of("it failed")[0]["exception"].splitlines()
    assert [line for line in result if "Traceback" not in line and "File" not in line and "raise" not in line] == [
        "ExceptionGroup",
        "  ValueError",
        f"  Broken: {Broken(trace_id=TRACE)}",
    ]
    assert CANARY not in lines.text


@pytest.mark.parametrize("kind", [toy.Jar, toy.JarOpened, toy.OpenJar])
def test_what_does_not_fit_a_model_of_ours_is_not_in_the_error(kind: Any) -> None:
    with pytest.raises(ValidationError) as wrong:
        kind.model_validate({"label": [CANARY]})
    assert CANARY not in str(wrong.value)


@asynccontextmanager
async def served(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The shop behind a real server."""
    port = Ports.free().members_web
    server = service.server(world.app(toy.shop), world.settings(port=port))
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await until(started)
    headers = {"Authorization": f"Bearer {world.token(toy.KEEPER)}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
        yield client
    server.should_exit = True
    await serving


async def test_a_bug_is_reported_once_under_the_trace_that_its_answer_names(world: World, shop: Container) -> None:
    with logged() as lines:
        async with served(world) as client:
            headers = keyed(traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
            answer = await client.post("/v1/jars/break", headers=headers)
    assert (answer.status_code, answer.json()["params"]) == (500, {"trace_id": TRACE})
    assert TRACE in answer.json()["detail"]
    assert lines.text.count("\\nZeroDivisionError") == 1
    (line,) = lines.of("a request failed")
    assert (line["trace_id"], line["route"], line["level"]) == (TRACE, "/v1/jars/break", "error")
    assert line["exception"].endswith("ZeroDivisionError")


async def test_an_outage_is_an_outcome_of_its_own_and_says_what_is_away(
    world: World, shop: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = "mongodb://127.0.0.1:1/linli?serverSelectionTimeoutMS=50"

    async def taken(*_: object) -> bool:  # an outage that begins after the token was looked at
        return False

    monkeypatch.setattr(Revocations, "include", taken)
    with logged() as lines:
        async with world.client(world.app(toy.shop, mongo={"members": away}), toy.KEEPER) as client:
            assert (await client.get("/v1/jars/jar_none")).status_code == 503
    (line,) = lines.of("a use case ran")
    assert (line["outcome"], line["code"]) == ("unavailable", "unavailable")
    assert line["reason"].endswith("from ServerSelectionTimeoutError")
    counted = [sample.labels for family in metrics.usecase_seconds.collect() for sample in family.samples]
    assert {"usecase": line["usecase"], "outcome": "unavailable"} in counted
