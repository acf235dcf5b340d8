"""Channels: a signed call that a provider can check, a spool without half files, and answers that are not trusted."""

import asyncio
import hashlib
import hmac
import json
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from services.contracts.notify.messages import Via
from services.notify.app import service
from services.notify.channels.adapters import KEY, SIGNATURE, TIMESTAMP, NotConfigured, SignedHttpSms, SmsSpool, Smtp
from services.notify.channels.model import Notice, Senders, SendFailed
from tests.support.world import World

SECRET = b"0123456789abcdef"
NOTICE = Notice("message_1:sms", datetime(2026, 11, 23, 1, 2, 3, 4000, tzinfo=UTC), "13812345678", "题目", "路灯已修好")


@dataclass
class Provider:
    """A real HTTP server that takes text messages, if they are signed."""

    url: str = ""
    status: int = 200
    answer: bytes = b'{"status": "accepted", "id": "4711"}'
    headers: dict[str, str] = field(default_factory=dict)
    got: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        stamp = request.headers[TIMESTAMP]
        expected = hmac.new(SECRET, stamp.encode() + body, hashlib.sha256).hexdigest()
        fresh = abs(int(stamp) - datetime.now(UTC).timestamp()) < 60
        if not hmac.compare_digest(expected, request.headers[SIGNATURE]) or not fresh:
            return web.Response(status=401)
        self.got.append({**json.loads(body), "header": request.headers[KEY]})
        return web.Response(status=self.status, body=self.answer, headers=self.headers)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """A provider on a free port."""
    known = Provider()
    app = web.Application()
    app.router.add_post("/sms", known.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    known.url = f"http://{host}:{port}/sms"
    yield known
    await runner.cleanup()


async def test_a_signed_text_message_is_taken_with_its_key(provider: Provider) -> None:
    await SignedHttpSms(provider.url, SECRET).send(NOTICE)
    key = NOTICE.key
    assert provider.got == [{"key": key, "phone": NOTICE.to, "text": NOTICE.text, "header": key}]


async def test_a_wrong_secret_is_a_failure_that_may_pass(provider: Provider) -> None:
    with pytest.raises(SendFailed) as failure:
        await SignedHttpSms(provider.url, b"another").send(NOTICE)
    assert (failure.value.reason, failure.value.for_good, provider.got) == ("sms 401", False, [])


@pytest.mark.parametrize(
    ("status", "answer", "headers", "outcome"),
    [
        (503, b"", {"Retry-After": "30"}, ("sms 503", 30, False)),
        (429, b"", {"Retry-After": "99999999999999999999"}, ("sms 429", 0, False)),
        (429, b"", {"Retry-After": "86400"}, ("sms 429", 3600, False)),
        (429, b"", {"Retry-After": "Mon, 23 Nov 2026 01:02:03 GMT"}, ("sms 429", 0, False)),
        (302, b"", {"Location": "http://127.0.0.1:1/"}, ("sms 302", 0, False)),
        (400, b"", {}, ("sms 400", 0, True)),
        (200, b"<html>", {}, ("sms answer not understood", 0, False)),
        (200, b'{"status": "queued"}', {}, ("sms answer not understood", 0, False)),
        (200, b'{"status": "rejected", "code": "13812345678 is wrong"}', {}, ("sms answer not understood", 0, False)),
        (200, b'{"status": "rejected", "code": "BLACKLIST"}', {}, ("sms rejected BLACKLIST", 0, True)),
        (200, b" " * 20_000, {}, ("sms answer too long", 0, False)),
    ],
)
async def test_any_other_answer_is_a_failure_reported_in_our_own_words(
    provider: Provider, status: int, answer: bytes, headers: dict[str, str], outcome: tuple[str, int, bool]
) -> None:
    provider.status, provider.answer, provider.headers = status, answer, headers
    with pytest.raises(SendFailed) as failure:
        await SignedHttpSms(provider.url, SECRET).send(NOTICE)
    assert (failure.value.reason, failure.value.retry_after.seconds, failure.value.for_good) == outcome


async def test_a_provider_that_is_away_is_a_failure_that_may_pass() -> None:
    with pytest.raises(SendFailed, match="sms Client") as failure:
        await SignedHttpSms("http://127.0.0.1:1/sms", SECRET).send(NOTICE)
    assert not failure.value.for_good


def spooled(folder: Path, *notices: Notice) -> list[Path]:
    """The files that a spool makes of these."""
    for notice in notices:
        asyncio.run(SmsSpool(folder).send(notice))
    return sorted(folder.iterdir())


def test_the_spool_gets_one_file_for_the_owner_only_however_often_the_key_comes(tmp_path: Path) -> None:
    (file,) = spooled(tmp_path / "sms", *[NOTICE] * 3)
    assert json.loads(file.read_text()) == {
        "at": "2026-11-23T01:02:03.004000+00:00",
        "key": NOTICE.key,
        "phone": NOTICE.to,
        "text": NOTICE.text,
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_files_of_the_spool_sort_by_time(tmp_path: Path) -> None:
    times = [NOTICE.at + timedelta(milliseconds=delay) for delay in (1500, 0, 7)]
    notices = [Notice(f"message_{at}:sms", at, NOTICE.to, "", str(at)) for at in times]
    files = spooled(tmp_path, *notices)
    assert [json.loads(file.read_text())["text"] for file in files] == [str(at) for at in sorted(times)]


async def test_a_spool_that_cannot_be_written_is_a_failure_that_may_pass(tmp_path: Path) -> None:
    (tmp_path / "sms").write_text("a file in the way")
    with pytest.raises(SendFailed, match="spool"):
        await SmsSpool(tmp_path / "sms").send(NOTICE)


def test_a_notice_shows_nothing_of_itself_in_a_trace() -> None:
    assert NOTICE.to not in repr(NOTICE)
    assert NOTICE.text not in repr(NOTICE)


def test_the_settings_choose_the_ways_out(world: World, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s")

    def chosen(**of: Any) -> tuple[type, type]:
        senders: Senders = service.dependencies(world.settings(**of))[Senders]
        return type(senders.by[Via.SMS]), type(senders.by[Via.EMAIL])

    assert chosen() == (SmsSpool, NotConfigured)
    assert chosen(sms_url="https://sms.example", sms_secret_file=secret, smtp="mail:25") == (SignedHttpSms, Smtp)
    assert chosen(sms_spool=None) == (NotConfigured, NotConfigured)
