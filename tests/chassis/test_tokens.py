"""Tokens: only those of the issuer, for this audience, of this kind, in their time."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import structlog.testing
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.requests import Request

from services.chassis.domain.refusals import TokenInvalid
from services.chassis.domain.scope import NOBODY, Actor
from services.chassis.domain.values import now
from services.chassis.http import auth
from services.chassis.http.auth import PublicKeys, Tokens
from services.chassis.http.signing import Signer, key_set
from tests.support import toy
from tests.support.world import World, make_signing_key

ACTOR = Actor("account_1", frozenset({"keeper"}), ("1507",), ("team_1",), "person_1")


@pytest.fixture
async def tokens(world: World) -> AsyncIterator[Tokens]:
    settings, container = world.settings(), await world.container(toy.shop)
    yield Tokens(settings.jwks, settings.issuer, settings.audience, container.revocations)
    await container.mongo.close()


def request(token: str | None, **headers: str) -> Request:
    given = {**headers, **({"authorization": f"Bearer {token}"} if token is not None else {})}
    raw = [(name.encode(), value.encode()) for name, value in given.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": raw})


def own_key(world: World) -> tuple[str, dict[str, str]]:
    folder = world._token_keys()
    return next(folder.glob("*.pem")).read_text(), key_set(folder)["keys"][0]


def signed(world: World, claims: dict[str, Any] | None = None, **header: Any) -> str:
    """A good token, but for what is given."""
    pem, public = own_key(world)
    at = int(now().timestamp())
    good = {"iss": "linli", "aud": "linli", "sub": "account_1", "iat": at, "exp": at + 900, "roles": ["keeper"]}
    content = {k: v for k, v in {**good, **(claims or {})}.items() if v is not None}
    heads = {k: v for k, v in {"kid": public["kid"], "typ": "at+jwt", **header}.items() if v is not None}
    return jwt.encode(content, pem, algorithm="EdDSA", headers=heads)


def by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    mark = hmac.new(secret, b".".join(parts), hashlib.sha256).digest() if secret is not None else b""
    return b".".join([*parts, base64.urlsafe_b64encode(mark).rstrip(b"=")]).decode()


async def refused(tokens: Tokens, token: str) -> None:
    with pytest.raises(TokenInvalid):
        await tokens.actor(request(token))


async def test_a_good_token_says_who_it_is(tokens: Tokens, world: World) -> None:
    actor = await tokens.actor(request(world.token(ACTOR)))
    assert (actor.id, actor.roles, actor.places) == (ACTOR.id, ACTOR.roles, ACTOR.places)
    assert (actor.organisations, actor.person) == (ACTOR.organisations, ACTOR.person)
    assert await tokens.actor(request(signed(world))) is not NOBODY


async def test_without_a_token_it_is_nobody_whatever_other_headers_say(tokens: Tokens) -> None:
    forged = {"x-auth-sub": "admin", "x-auth-roles": "administrator", "x-user-id": "admin", "x-forwarded-user": "admin"}
    assert await tokens.actor(request(None, **forged)) is NOBODY


AT = int(now().timestamp())
LATER = AT + 86_400  # later than any run of the tests ends
WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"iat": AT - 3000, "exp": AT - 60},
    "not yet issued": {"iat": LATER, "exp": LATER + 300},
    "not valid yet": {"nbf": LATER},
    "without an end": {"exp": None},
    "without a beginning": {"iat": None},
    "without a subject": {"sub": None},
    "a subject that is no text": {"sub": 7},
    "for longer than an hour": {"iat": AT, "exp": AT + 3700},
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "elsewhere"},
    "no audience": {"aud": None},
    "an end that is no number": {"exp": "soon"},
}


@pytest.mark.parametrize("case", WRONG_CLAIMS)
async def test_a_token_with_wrong_claims_is_refused(tokens: Tokens, world: World, case: str) -> None:
    await refused(tokens, signed(world, WRONG_CLAIMS[case]))


WRONG_HEADERS: dict[str, dict[str, Any]] = {
    "an identity token": {"typ": "JWT"},
    "no type": {"typ": None},
    "an unknown key": {"kid": "unknown"},
    "no key": {"kid": None},
    "a key by address": {"jku": "https://evil.example/jwks.json"},
    "a key brought along": {"jwk": {"kty": "OKP"}},
    "a certificate by address": {"x5u": "https://evil.example/cert"},
    "an unknown demand": {"crit": ["evil"], "evil": 1},
}


@pytest.mark.parametrize("case", WRONG_HEADERS)
async def test_a_token_with_wrong_headers_is_refused(tokens: Tokens, world: World, case: str) -> None:
    await refused(tokens, signed(world, **WRONG_HEADERS[case]))


async def test_a_token_that_is_not_signed_or_signed_with_the_public_key_is_refused(
    tokens: Tokens, world: World
) -> None:
    pem, public = own_key(world)
    claims = {"iss": "linli", "aud": "linli", "sub": "a", "iat": AT, "exp": AT + 900}
    for alg in ("none", "None", "NONE", ""):
        await refused(tokens, by_hand({"alg": alg, "typ": "at+jwt", "kid": public["kid"]}, claims, None))
    raw = base64.urlsafe_b64decode(public["x"] + "==")
    key = s.load_pem_private_key(pem.encode(), None).public_key()
    spelled = key.public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    for secret in (raw, spelled, public["x"].encode(), json.dumps(public).encode()):
        for alg in ("HS256", "EdDSA"):
            await refused(tokens, by_hand({"alg": alg, "typ": "at+jwt", "kid": public["kid"]}, claims, secret))


async def test_a_token_of_somebody_elses_key_under_our_keys_name_is_refused(tokens: Tokens, world: World) -> None:
    foreign = Ed25519PrivateKey.generate().private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    claims = {"iss": "linli", "aud": "linli", "sub": "a", "iat": AT, "exp": AT + 900}
    headers = {"kid": own_key(world)[1]["kid"], "typ": "at+jwt"}
    await refused(tokens, jwt.encode(claims, foreign.decode(), algorithm="EdDSA", headers=headers))


async def test_a_token_of_which_any_part_was_changed_is_refused(tokens: Tokens, world: World) -> None:
    header, claims, mark = world.token(ACTOR).split(".")
    raised = base64.urlsafe_b64encode(base64.urlsafe_b64decode(claims + "==").replace(b"keeper", b"keepex"))
    for parts in ((header, raised.rstrip(b"=").decode(), mark), (header, claims, mark[:-4] + "AAAA"), (header, claims)):
        await refused(tokens, ".".join(parts))
    for nonsense in ("", "x", "a.b.c", "é", "." * 9, "Bearer"):
        await refused(tokens, nonsense)


async def test_the_role_of_the_system_is_never_taken_from_a_token(tokens: Tokens, world: World) -> None:
    actor = await tokens.actor(request(signed(world, {"roles": ["system", "keeper"]})))
    assert actor.roles == {"keeper"}


async def test_other_schemes_are_refused(tokens: Tokens) -> None:
    for header in ("Basic YTpi", "Bearer", "bearer "):
        with pytest.raises(TokenInvalid):
            await tokens.actor(request(None, authorization=header))


def publish(folder: Path, file: Path) -> None:
    file.write_text(json.dumps(key_set(folder)))


async def test_keys_rotate_without_a_restart_and_old_tokens_live_on(
    world: World, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_AGAIN_AFTER", 0.0)
    old = world.token(ACTOR)
    assert (await tokens.actor(request(old))).id == ACTOR.id
    folder, jwks = world._token_keys(), world._jwks()
    make_signing_key(folder / "0002.pem")
    new = Signer(folder, "linli", "linli").sign(ACTOR, now(), timedelta(minutes=5))
    assert jwt.get_unverified_header(new)["kid"] != jwt.get_unverified_header(old)["kid"]
    await refused(tokens, new)  # not published yet
    publish(folder, jwks)
    for token in (new, old):
        assert (await tokens.actor(request(token))).id == ACTOR.id


async def test_a_key_that_was_withdrawn_ends(world: World, tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    old = world.token(ACTOR)
    assert (await tokens.actor(request(old))).id == ACTOR.id
    folder, jwks = world._token_keys(), world._jwks()
    (folder / "0001.pem").unlink()
    make_signing_key(folder / "0002.pem")
    publish(folder, jwks)
    assert (await tokens.actor(request(old))).id == ACTOR.id
    monkeypatch.setattr(auth, "_STALE_AFTER", 0.0)
    await refused(tokens, old)


async def test_keys_that_cannot_be_read_for_a_while_do_not_shut_everybody_out(
    world: World, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = world.token(ACTOR)
    assert (await tokens.actor(request(token))).id == ACTOR.id
    monkeypatch.setattr(auth, "_STALE_AFTER", 0.0)
    world._jwks().write_text("{")
    assert (await tokens.actor(request(token))).id == ACTOR.id


USELESS: list[Any] = [
    {"kty": "OKP", "crv": "X25519", "x": "AAAA", "kid": "for encryption"},
    {"kty": "unknown", "kid": "of a kind to come"},
    {"kty": "OKP", "crv": "Ed25519", "x": 7, "kid": "wrong"},
    {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
    {"kty": ["OKP"], "kid": ["a", "list"]},
    "text",
    None,
]


async def test_keys_that_are_of_no_use_here_do_not_spoil_the_others(world: World, tokens: Tokens) -> None:
    keys = key_set(world._token_keys())["keys"]
    world._jwks().write_text(json.dumps({"keys": [*USELESS, *keys]}))
    with structlog.testing.capture_logs() as lines:
        assert (await tokens.actor(request(world.token(ACTOR)))).id == ACTOR.id
    assert len(lines) == len(USELESS)
    assert "AAAA" not in str(lines)


@pytest.mark.parametrize("content", ["[]", "null", '"text"', "{}", '{"keys": null}', '{"keys": 7}', "{"])
async def test_what_is_no_set_of_keys_is_no_key(world: World, tokens: Tokens, content: str) -> None:
    world._jwks().write_text(content)
    await refused(tokens, world.token(ACTOR))


async def test_the_keys_may_be_at_an_address(world: World) -> None:
    keys = key_set(world._token_keys())

    async def give(_: web.Request) -> web.Response:
        return web.json_response(keys)

    app = web.Application()
    app.router.add_get("/jwks.json", give)
    async with TestServer(app) as server:
        assert await PublicKeys(str(server.make_url("/jwks.json"))).names() == {keys["keys"][0]["kid"]}
        with structlog.testing.capture_logs() as lines:
            assert await PublicKeys(str(server.make_url("/elsewhere"))).names() == frozenset()
    assert [line["reason"] for line in lines] == ["Unfetched: ClientResponseError"]


async def test_an_address_that_nobody_answers_gives_no_keys() -> None:
    with structlog.testing.capture_logs() as lines:
        assert await PublicKeys("http://127.0.0.1:1/jwks.json").names() == frozenset()
    assert [line["reason"] for line in lines] == ["Unfetched: ClientConnectorError"]


async def test_a_forged_token_over_http_is_401_and_writes_nothing(world: World) -> None:
    container = await world.container(toy.shop)
    async with world.client(world.app(toy.shop)) as client:
        headers = {
            "Authorization": f"Bearer {signed(world, typ='JWT')}",
            "Idempotency-Key": "k",
            "x-auth-sub": "keeper",
        }
        answer = await client.post("/v1/jars", json={"label": "a"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "token-invalid")
    assert await container.mongo.count("jars", {}, limit=9) == 0
    await container.mongo.close()
