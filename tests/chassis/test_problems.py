"""Bad input and broken parts over HTTP: each a problem with a code and a sentence, and nothing written."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi.openapi.models import OpenAPI
from pydantic import TypeAdapter, ValidationError

from services.chassis.domain.refusals import Kind
from services.chassis.domain.scope import Actor
from services.chassis.domain.values import Instant
from services.chassis.http.problems import STATUS
from services.chassis.telemetry import logs, metrics
from services.chassis.usecase import Container
from tests.support import toy
from tests.support.world import World, keyed


@pytest.fixture
async def container(world: World) -> AsyncIterator[Container]:
    container = await world.container(toy.shop)
    yield container
    await container.mongo.close()


@pytest.fixture
async def client(world: World, container: Container) -> AsyncIterator[httpx.AsyncClient]:
    app = world.app(toy.shop)
    async with world.client(app, toy.KEEPER) as client:
        client._transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        yield client


def expect(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    problem: dict[str, object] = answer.json()
    assert (answer.status_code, problem["code"], problem["status"]) == (status, code, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:linli:problem:{code}"
    assert answer.headers["cache-control"] == "no-store"
    return problem


async def written(container: Container) -> int:
    return await container.mongo.count("jars", {}, limit=99)


BODIES = [
    ({"label": "a", "colour": "red"}, "colour", "没有这个字段", "not a known field"),
    ({"label": 7}, "label", "应为文本", "must be text"),
    ({"label": "x" * 4001}, "label", "4000", "at most 4000"),
    ({"label": ""}, "label", "至少", "at least"),
    ({}, "label", "缺少", "missing"),
    ({"label": "a", "size": "many"}, "size", "整数", "whole number"),
    ({"label": {"$ne": None}}, "label", "文本", "text"),
]


@pytest.mark.parametrize(("body", "field", "zh", "en"), BODIES)
async def test_a_wrong_field_is_named_in_the_language_asked_for(
    client: httpx.AsyncClient, container: Container, body: object, field: str, zh: str, en: str
) -> None:
    for language, words in (("zh", zh), ("en", en), ("en-GB,zh;q=0.5", en), ("fr", zh)):
        headers = keyed(**{"Accept-Language": language})
        answer = await client.post("/v1/jars", json=body, headers=headers)
        problem = expect(answer, 422, "invalid")
        assert words in str(problem["detail"])
        assert [error["field"] for error in problem["errors"]] == [field]  # type: ignore[attr-defined]
        assert answer.headers["content-language"] == ("en" if language.startswith("en") else "zh")
    assert await written(container) == 0


@pytest.mark.parametrize(
    "raw", [b"{", b"", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"label": "\xff"}', b'{"label":' + b"[" * 5000]
)
async def test_a_body_that_is_no_json_object_is_refused(
    client: httpx.AsyncClient, container: Container, raw: bytes
) -> None:
    headers = keyed(**{"Content-Type": "application/json"})
    answer = await client.post("/v1/jars", content=raw, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["code"] in ("invalid", "malformed")
    assert await written(container) == 0


async def test_a_body_that_is_not_said_to_be_json_is_415_and_says_how_to_say_it(
    client: httpx.AsyncClient, container: Container
) -> None:
    for given in ({}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "text/plain"}):
        answer = await client.post("/v1/jars", content=b'{"label": "a"}', headers=keyed(**given))
        problem = expect(answer, 415, "media-unknown")
        assert "Content-Type: application/json" in str(problem["detail"])
    assert await written(container) == 0


HALF = r"\ud800"
UNFIT = [
    f'{{"label": "{HALF}"}}',
    f'{{"{HALF}": 1}}',
    f'"{HALF}"',
    f'{{"label": "a", "answers": {{"{HALF}": 1}}}}',
    f'{{"label": "a", "answers": {{"deep": [["{HALF}"]]}}}}',
    f'{{"label": "a", "size": {10**20}}}',
    f'{{"label": "a", "answers": {{"size": {2**63}}}}}',
    '{"label": "a", "answers": {"deep": %s}}' % ("[" * 400 + "]" * 400),
]


@pytest.mark.parametrize("raw", UNFIT)
async def test_what_could_not_be_written_down_again_is_refused(
    client: httpx.AsyncClient, container: Container, raw: str
) -> None:
    for language, words in (("zh", "代理项"), ("en", "surrogate")):
        headers = keyed(**{"Content-Type": "application/json", "Accept-Language": language})
        problem = expect(await client.post("/v1/jars", content=raw, headers=headers), 422, "invalid")
        assert words in str(problem["detail"])
    assert await written(container) == 0


async def test_half_characters_in_an_address_find_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/jars?label=%ED%A0%80")).json()["items"] == []
    expect(await client.get("/v1/jars/%ED%A0%80"), 404, "not-found")


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"])
def test_an_instant_that_has_no_time_in_utc_is_wrong_input(at: str) -> None:
    with pytest.raises(ValidationError, match="beyond"):
        TypeAdapter(Instant).validate_python(at)


async def test_a_body_over_one_mebibyte_is_refused_with_and_without_its_length(
    client: httpx.AsyncClient, container: Container
) -> None:
    big = json.dumps({"label": "x" * (1024 * 1024)}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(big), 65536):
            yield big[start : start + 65536]

    headers = keyed(**{"Content-Type": "application/json"})
    for content in (big, pieces()):
        problem = expect(await client.post("/v1/jars", content=content, headers=headers), 413, "body-too-large")
        assert problem["params"] == {"limit": 1048576}
    assert await written(container) == 0


async def test_a_key_is_needed_where_something_is_made(client: httpx.AsyncClient, container: Container) -> None:
    for headers in ({}, {"Idempotency-Key": ""}, {"Idempotency-Key": "two words"}):
        expect(await client.post("/v1/jars", json={"label": "a"}, headers=headers), 428, "key-needed")
    too_long = {"Idempotency-Key": "k" * 129}
    assert (await client.post("/v1/jars", json={"label": "a"}, headers=too_long)).status_code in (422, 428)
    assert await written(container) == 0


async def test_a_stale_or_unreadable_if_match_is_refused(client: httpx.AsyncClient) -> None:
    jar = (await client.post("/v1/jars", json={"label": "a"}, headers=keyed())).headers["Location"]
    stale = await client.post(f"{jar}/coins", json={}, headers=keyed(**{"If-Match": '"7"'}))
    problem = expect(stale, 412, "stale")
    assert problem["params"] == {"given": 7, "current": 1}
    wrong = await client.post(f"{jar}/coins", json={}, headers=keyed(**{"If-Match": "seven"}))
    expect(wrong, 422, "invalid")
    assert (await client.get(jar)).json()["total"] == 0


async def test_lists_refuse_wrong_cursors_limits_and_filters(client: httpx.AsyncClient) -> None:
    expect(await client.get("/v1/jars", params={"after": "nonsense"}), 422, "cursor-invalid")
    for params in ({"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"colour": "red"}, {"label[$ne]": "a"}):
        expect(await client.get("/v1/jars", params=params), 422, "invalid")


async def test_what_is_not_there_or_not_ones_own_is_404(client: httpx.AsyncClient, world: World) -> None:
    jar = (await client.post("/v1/jars", json={"label": "a"}, headers=keyed())).headers["Location"]
    expect(await client.get("/v1/nowhere"), 404, "address-unknown")
    expect(await client.post("/v1/jars/jar_none/dance", headers=keyed()), 404, "address-unknown")
    expect(await client.get("/v1/jars/jar_none"), 404, "not-found")
    async with world.client(world.app(toy.shop), toy.OTHER) as other:
        assert expect(await other.get(jar), 404, "not-found") == (await client.get("/v1/jars/jar_none")).json()
        expect(await other.post(f"{jar}/coins", json={}, headers=keyed()), 404, "not-found")


async def test_another_method_is_405_and_says_which_there_are(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/v1/jars", headers={"Accept-Language": "en"})
    problem = expect(answer, 405, "method-unknown")
    assert answer.headers["allow"] == "GET, POST"
    assert "takes GET, POST" in str(problem["detail"])


async def test_without_the_role_it_is_403_and_without_a_token_401(client: httpx.AsyncClient, world: World) -> None:
    app = world.app(toy.shop)
    async with world.client(app) as nobody, world.client(app, Actor("v", frozenset({"visitor"}))) as visitor:
        answer = await nobody.get("/v1/jars")
        expect(answer, 401, "sign-in-needed")
        assert answer.headers["www-authenticate"] == "Bearer"
        problem = expect(await visitor.get("/v1/jars", headers={"Accept-Language": "en"}), 403, "forbidden")
        assert "keeper, inspector" in str(problem["detail"])
        assert problem["title"] == "Not permitted"
        assert (await nobody.get("/v1/jars/hello")).status_code == 204


async def test_a_bug_is_500_without_its_trace(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/jars/break", headers=keyed())
    problem = expect(answer, 500, "broken")
    assert not any(word in answer.text for word in ("secret", "ZeroDivision", "Traceback", ".py"))
    assert "Idempotency-Key" in str(problem["detail"])


async def test_a_database_that_is_away_is_503_with_retry_after(
    world: World, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = world.settings().database("members").replace("localhost", "127.0.0.1")
    address = away.split("//")[1].split("/")[0]
    quick = away.replace(address, "127.0.0.1:1").replace("serverSelectionTimeoutMS=5000", "serverSelectionTimeoutMS=50")
    async with world.client(world.app(toy.shop, mongo={"members": quick}), toy.KEEPER) as client:
        answer = await client.post("/v1/jars", json={"label": "a"}, headers=keyed())
        ready = await client.get("/readyz")
    problem = expect(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert "Idempotency-Key" in str(problem["detail"])
    assert (ready.status_code, ready.json()["status"]) == (503, "not ready")


async def test_more_than_the_limit_in_flight_is_503_with_retry_after(
    world: World, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = asyncio.Event()
    find_one = type(container.mongo).find_one

    async def slow(self: object, *given: object, **more: object) -> object:
        await go.wait()
        return await find_one(self, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(type(container.mongo), "find_one", slow)
    async with world.client(world.app(toy.shop, max_in_flight=2), toy.KEEPER) as client:
        waiting = [asyncio.create_task(client.get("/v1/jars/jar_none")) for _ in range(2)]
        async with asyncio.timeout(10):
            while metrics.http_in_flight._value.get() < 2:  # noqa: ASYNC110 - it asks a database
                await asyncio.sleep(0.01)
            answer = await client.get("/v1/jars/jar_none")
        expect(answer, 503, "busy")
        assert answer.headers["retry-after"] == "1"
        assert (await client.get("/healthz")).status_code == 200  # housekeeping is not held up
        go.set()
        assert [(await task).status_code for task in waiting] == [404, 404]
        assert (await client.get("/v1/jars/jar_none")).status_code == 404


async def test_routes_not_paths_are_the_labels_of_metrics(client: httpx.AsyncClient) -> None:
    await client.get("/v1/jars/jar_none")
    await client.get("/v1/some/other/path")
    labels = {sample.labels.get("route") for metric in metrics.http_requests.collect() for sample in metric.samples}
    assert "/v1/jars/{jar_id}" in labels
    assert not any("jar_none" in str(label) or "other" in str(label) for label in labels)


async def test_input_cannot_forge_a_line_of_the_log(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    logs.start("members", "web", "info")
    forged = 'x\n{"event":"an administrator signed in","level":"info"}\r\n\x1b[2J'
    logs.get().warning("a timer's use case refused", code=forged)
    await client.get("/v1/jars", params={"after": forged})
    lines = [line for line in out.getvalue().split("\n") if line]
    assert [json.loads(line)["event"] for line in lines] == ["a timer's use case refused", "a use case ran"]
    assert "\x1b" not in out.getvalue()


async def test_every_kind_of_refusal_has_its_status() -> None:
    assert set(STATUS) == set(Kind)


async def test_the_description_is_openapi_3_1_and_says_what_may_be_answered(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            assert route["summary"], (path, method)
            assert route["x-linli-roles"]
            assert {"401", "403", "404", "422", "503"} <= set(route["responses"])
    post = document["paths"]["/v1/jars"]["post"]
    names = {parameter["name"] for parameter in post["parameters"]}
    assert {"idempotency-key", "if-match"} <= names
    OpenAPI.model_validate(document)
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named <= set(document["components"]["schemas"])
    assert "/metrics" not in document["paths"]
