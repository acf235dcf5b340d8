"""Who a command acts as: signing in never waits long without a word, and the operator signs with the stack's keys."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import jwt
import pytest
from aiohttp import web

from deploy.cli.city import tokens
from deploy.cli.city.spool import Spool
from deploy.cli.city.tokens import PhoneHolder
from deploy.cli.seed import operator
from deploy.local import Home, Ports, Stack, Trouble, keys
from services.chassis.http.signing import public_key
from services.contracts.members import work
from tests.cli.fake import answers, gateway


def too_many(seconds: int) -> web.Response:
    return web.json_response({"code": "too-many-codes"}, status=429, headers={"Retry-After": str(seconds)})


async def test_a_long_wait_for_another_code_is_not_waited_for(tmp_path: Path) -> None:
    async def answering(request: web.Request) -> web.StreamResponse:
        return too_many(3500)

    async with gateway(answering) as client:
        with pytest.raises(Trouble, match=r"Too many tries.*this phone: try again in 59 min") as raised:
            await PhoneHolder(client, Spool(tmp_path), "13800138000").token()
    assert raised.value.code == 1


async def test_a_short_wait_for_another_code_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(tokens, "asyncio", SimpleNamespace(sleep=sleep, Lock=asyncio.Lock))
    letting_in, asked = answers({}, tmp_path), iter((too_many(42), None))

    async def answering(request: web.Request) -> web.StreamResponse:
        refusal = next(asked) if request.path == "/v1/sign-in/codes" else None
        return refusal or await letting_in(request)

    async with gateway(answering) as client:
        token = await PhoneHolder(client, Spool(tmp_path), "13800138000").token()
    assert (token.actor, waited) == ("account_1", [42.0])
    assert "waiting 42 s" in capsys.readouterr().err


async def test_the_little_work_that_many_codes_need_is_done(tmp_path: Path) -> None:
    letting_in, works = answers({}, tmp_path), list[str | None]()

    async def answering(request: web.Request) -> web.StreamResponse:
        if request.path == "/v1/sign-in/codes":
            works.append((await request.json()).get("work"))
            if works[-1] is None:
                todo = {"code": "work-or-wait", "params": {"challenge": "8.1796040000.00ff", "bits": 8}}
                return web.json_response(todo, status=429, headers={"Retry-After": "900"})
        return await letting_in(request)

    async with gateway(answering) as client:
        assert (await PhoneHolder(client, Spool(tmp_path), "13800138000").token()).actor == "account_1"
    assert (len(works), work.is_done(works[1] or "", 8)) == (2, True)


async def test_the_operator_signs_with_the_keys_in_the_settings(tmp_path: Path) -> None:
    for name in ("own", "other"):
        Home(tmp_path / name).make()
        keys.make(Home(tmp_path / name))
    folder = keys.token_keys(Home(tmp_path / "other"))
    stack = Stack(tmp_path / "own", Ports(), given={"LINLI_TOKEN_KEYS": str(folder)})
    signed = (await operator(stack, "1507").token()).value
    assert jwt.get_unverified_header(signed)["kid"] == public_key(next(folder.glob("*.pem")))["kid"]
