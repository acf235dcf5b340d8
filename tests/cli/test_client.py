"""The client of the gateway asks again with the same key until it is answered."""

import pytest
from aiohttp import web

from deploy.cli.city.client import Refused, Unanswered
from tests.cli.fake import gateway


async def test_a_503_and_a_broken_connection_are_repeated_with_the_same_key() -> None:
    keys: list[str] = []

    async def answering(request: web.Request) -> web.StreamResponse:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            return web.Response(status=503, headers={"Retry-After": "0"})
        if len(keys) == 2:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"id": "case_1"}, status=201, headers={"ETag": '"3"'})

    async with gateway(answering) as client:
        answer = await client.ask("POST", "/v1/requests", key="k1", body={})
    assert keys == ["k1", "k1", "k1"]
    assert (answer.status, answer.version, answer.tries, answer.body) == (201, 3, 3, {"id": "case_1"})


async def test_a_refusal_is_an_answer() -> None:
    async def answering(request: web.Request) -> web.StreamResponse:
        return web.json_response({"code": "not-found", "detail": "no"}, status=404)

    async with gateway(answering) as client:
        answer = await client.ask("GET", "/v1/requests/case_1")
    assert (answer.ok, answer.status, answer.code, answer.tries) == (False, 404, "not-found", 1)


@pytest.mark.parametrize(
    ("set_to", "language"),
    [({"LANG": "zh_CN.UTF-8"}, "zh"), ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"), ({}, "en")],
)
async def test_refusals_are_asked_for_in_the_language_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, set_to: dict[str, str], language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in set_to.items():
        monkeypatch.setenv(name, value)

    async def answering(request: web.Request) -> web.StreamResponse:
        return web.json_response({"code": "no", "detail": request.headers["Accept-Language"] + "。"}, status=409)

    async with gateway(answering) as client:
        answer = await client.ask("GET", "/v1/areas")
    assert str(Refused("looking", answer)) == f"looking: 409 no {language}"


async def test_a_429_is_repeated_only_when_it_asks_for_a_short_wait() -> None:
    waits = iter(("1", "3600"))

    async def answering(request: web.Request) -> web.StreamResponse:
        return web.json_response({"code": "too-many"}, status=429, headers={"Retry-After": next(waits)})

    async with gateway(answering) as client:
        answer = await client.ask("POST", "/v1/sign-in/codes", body={})
    assert (answer.status, answer.tries) == (429, 2)


async def test_patience_ends_where_nobody_answers() -> None:
    async def answering(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    async with gateway(answering, give_up_after=0.5) as client:
        with pytest.raises(Unanswered):
            await client.ask("GET", "/v1/areas")


async def test_a_list_is_read_page_by_page() -> None:
    pages = {None: {"items": [{"code": "1"}], "next": "c"}, "c": {"items": [{"code": "2"}], "next": None}}

    async def answering(request: web.Request) -> web.StreamResponse:
        return web.json_response(pages[request.query.get("after")])

    async with gateway(answering) as client:
        assert [area["code"] async for area in client.all("/v1/areas", level="city")] == ["1", "2"]
