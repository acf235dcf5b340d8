"""A process that does one operation: it reads one request, writes one answer, and its exit code says how it went."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from services.chassis.operations import operate
from services.chassis.operations.protocol import RebuildRequest, Request, SettingsRequest
from tests.chassis.ledger_city import City
from tests.support import toy
from tests.support.operating import environment
from tests.support.toy import Jar

Operated = Callable[[bytes], Awaitable[tuple[int, Any, str]]]


@pytest.fixture
def operated(city: City, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Operated:
    """(exit code, answer, what stands on stderr) of a request to the shop."""
    monkeypatch.setattr("services.chassis.operations.operate.logs.start", lambda *_: None)  # it would outlive this test
    for name, value in environment(city.world.settings()).items():
        monkeypatch.setenv(name, value)

    async def operated(request: bytes) -> tuple[int, Any, str]:
        capfd.readouterr()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(request)))
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(operate.run, toy.shop)
        said = capfd.readouterr()
        return int(ended.value.code or 0), orjson.loads(said.out or "null"), said.err

    return operated


def asked(request: Request) -> bytes:
    """As it goes to the process."""
    return request.model_dump_json().encode()


async def test_the_exit_code_says_how_it_went(city: City, operated: Operated) -> None:
    jar = await city.jar(1)
    await city.damage(Jar, jar, {"$set": {"state.total": 50}})
    code, result, _ = await operated(asked(RebuildRequest(kind="jar")))
    assert (code, result["dry_run"], result["differing"], result["mended"], result["kinds"]) == (0, True, 1, 0, ["jar"])
    code, result, _ = await operated(asked(RebuildRequest(kind="jar", write=True)))
    assert (code, result["service"], result["looked_at"], result["mended"], result["broken"]) == (0, "members", 1, 1, 0)
    await city.damage(Jar, jar, {"$set": {"hash": "0" * 64}})
    assert (await operated(asked(RebuildRequest(kind="jar", write=True))))[0] == 1
    code, result, _ = await operated(asked(RebuildRequest(kind="tin")))
    assert (code, result["clean"], result["kinds"]) == (1, False, ["jar"])


async def test_progress_stands_on_stderr_where_it_is_wanted(
    city: City, operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.operations.ledger.rebuild._BATCH", 1)
    await city.jar(1)
    assert (await operated(asked(RebuildRequest(kind="jar"))))[2] == ""
    assert (await operated(asked(RebuildRequest(kind="jar", progress=True))))[2] == "1 checked, 0 differ\n"


async def test_what_cannot_be_done_now_is_one_sentence_and_2(
    city: City, operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINLI_MONGO_MEMBERS", "mongodb://127.0.0.1:1/away?serverSelectionTimeoutMS=200")
    code, result, said = await operated(asked(RebuildRequest(kind="jar")))
    assert (code, result, said.count("\n")) == (2, None, 1)
    assert said.startswith("members cannot answer rebuild: ")


@pytest.mark.parametrize("request_", [b"", b"{}", b'{"operation": "fly"}', b'{"operation": "rebuild", "sort": "jar"}'])
async def test_what_is_no_request_is_refused(operated: Operated, request_: bytes) -> None:
    code, result, said = await operated(request_)
    assert (code, result, said.count("\n")) == (2, None, 1)


async def test_settings_are_named_where_none_is_set(operated: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINLI_KAFKA")
    code, result, _ = await operated(asked(SettingsRequest()))
    assert code == 0
    assert {"LINLI_KAFKA", "LINLI_CITY"} <= set(result["names"])
