"""Senders: a mail server, an SMS provider over signed HTTP, a folder for text messages, and none."""

import asyncio
import hashlib
import hmac
import os
import re
import time
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Annotated, Literal

import aiohttp
import aiosmtplib
import orjson
from pydantic import BaseModel, Field, ValidationError

from services.notify.channels.model import Notice, SendFailed

_SECONDS = 10.0
_LONGEST_ANSWER = 16 * 1024
_LONGEST_PAUSE = 3600
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")

Tls = Literal["starttls", "tls", "none"]

TIMESTAMP = "X-Linli-Timestamp"
SIGNATURE = "X-Linli-Signature"
KEY = "Idempotency-Key"


class NotConfigured:
    """A channel that is not configured: its notices are given up at once, visibly."""

    async def send(self, notice: Notice) -> None:
        """Always refuse."""
        raise SendFailed("not configured", for_good=True)


class Smtp:
    """A mail server. Mail is not idempotent: the key is the Message-ID, by which mailboxes drop a repeat."""

    def __init__(
        self, address: str, sender: str, tls: Tls, user: str | None = None, password: str | None = None
    ) -> None:
        """``address``: host:port. With ``starttls`` and ``tls`` nothing is sent to a server without encryption."""
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._sender, self._tls, self._user, self._password = sender, tls, user, password

    async def send(self, notice: Notice) -> None:
        """Send one mail; a 5xx for the recipient or the content is final."""
        try:
            await aiosmtplib.send(
                self._mail(notice),
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._tls == "tls",
                start_tls=self._tls == "starttls",
                timeout=_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise SendFailed(_code(error.recipients[0]), for_good=error.recipients[0].code >= 500) from None
        except aiosmtplib.SMTPDataError as error:
            raise SendFailed(_code(error), for_good=error.code >= 500) from None
        except aiosmtplib.SMTPResponseException as error:
            raise SendFailed(_code(error)) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise SendFailed(f"smtp {type(error).__name__}") from None

    def _mail(self, notice: Notice) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = self._sender, notice.to
        mail["Subject"] = _CONTROL.sub(" ", notice.title)
        mail["Date"] = format_datetime(notice.at)
        mail["Message-ID"] = f"<{notice.key.replace(':', '.')}@{self._sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(notice.text)
        return mail


class _Answer(BaseModel):
    """The answer of a provider; ``code`` is its own word for the reason."""

    status: Literal["accepted", "rejected"]
    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")] = "unknown"


class SignedHttpSms:
    """An SMS provider behind one signed POST.

    Body: ``{"key", "phone", "text"}`` as JSON. Headers: ``X-Linli-Timestamp`` (Unix seconds), ``X-Linli-Signature``
    (hexadecimal HMAC-SHA256, under the shared secret, of the timestamp followed by the bytes of the body) and
    ``Idempotency-Key`` (the key again: a repeat must be answered like the first and sent once). The provider answers
    2xx with ``{"status": "accepted" | "rejected", "code": …}``; 429 and 503 may carry ``Retry-After`` in seconds.
    """

    def __init__(self, url: str, secret: bytes) -> None:
        self._url = url
        self._secret = secret

    async def send(self, notice: Notice) -> None:
        """Send one text message, within ten seconds."""
        body = orjson.dumps({"key": notice.key, "phone": notice.to, "text": notice.text})
        try:
            timeout = aiohttp.ClientTimeout(total=_SECONDS)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(
                    self._url, data=body, headers=self._headers(notice.key, body), allow_redirects=False
                ) as response,
            ):
                _judge(response.status, response.headers.get("Retry-After"), await _limited(response))
        except (aiohttp.ClientError, OSError) as error:
            raise SendFailed(f"sms {type(error).__name__}") from None

    def _headers(self, key: str, body: bytes) -> dict[str, str]:
        stamp = str(int(time.time()))
        signature = hmac.new(self._secret, stamp.encode() + body, hashlib.sha256).hexdigest()
        return {TIMESTAMP: stamp, SIGNATURE: signature, KEY: key, "Content-Type": "application/json"}


class SmsSpool:
    """A folder instead of a provider: one file for each text message, readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, notice: Notice) -> None:
        """Write one file atomically; the same key gives the same file."""
        try:
            await asyncio.to_thread(self._write, notice)
        except OSError as error:
            raise SendFailed(f"spool {type(error).__name__}") from None

    def _write(self, notice: Notice) -> None:
        mark = hashlib.sha256(notice.key.encode()).hexdigest()[:16]
        name = f"{notice.at:%Y%m%dT%H%M%S}{notice.at.microsecond // 1000:03d}Z-{mark}.json"
        if (self._folder / name).exists():
            return
        content = {"at": notice.at, "key": notice.key, "phone": notice.to, "text": notice.text}
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._folder / f".{name}.{os.getpid()}"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
            file.write(orjson.dumps(content))
        draft.replace(self._folder / name)


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    read = b""
    async for chunk in response.content.iter_chunked(4096):
        read += chunk
        if len(read) > _LONGEST_ANSWER:
            raise SendFailed("sms answer too long")
    return read


def _judge(status: int, retry_after: str | None, body: bytes) -> None:
    """Return if the message was accepted; the provider's text is never passed on."""
    if not 200 <= status < 300:
        again = int(retry_after) if retry_after and retry_after.isdecimal() and len(retry_after) < 8 else 0
        pause = timedelta(seconds=min(again, _LONGEST_PAUSE))
        raise SendFailed(f"sms {status}", retry_after=pause, for_good=status in (400, 422))
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError:
        raise SendFailed("sms answer not understood") from None
    if answer.status == "rejected":
        raise SendFailed(f"sms rejected {answer.code}", for_good=True)


def _code(error: aiosmtplib.SMTPResponseException) -> str:
    return f"smtp {error.code}"  # a server's text often repeats the address
