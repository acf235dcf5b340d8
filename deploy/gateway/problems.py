"""The gateway's own refusals: problem+json (RFC 9457), as a table."""

import json
from dataclasses import dataclass, field
from typing import Any

from services.chassis.domain import refusals
from services.chassis.domain.refusals import TITLES, Kind

RETRY_AFTER_SECONDS = 2
BODY_LIMIT_BYTES = 1024 * 1024
LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Problem:
    """One row: statuses of Envoy's own answers, and what is answered instead."""

    statuses: tuple[int, int]
    status: int
    kind: Kind
    code: str
    sentences: dict[str, str] = field(hash=False)

    @property
    def retry_after(self) -> int | None:
        """Seconds after which a repeat makes sense, or None."""
        return RETRY_AFTER_SECONDS if self.status in (429, 503) else None

    def body(self, language: str) -> dict[str, Any]:
        """The JSON of the answer, in the form of a service's own."""
        return {
            "type": f"urn:linli:problem:{self.code}",
            "title": TITLES[self.kind][language],
            "status": self.status,
            "code": self.code,
            "detail": self.sentences[language],
        }

    def text(self, language: str) -> str:
        """The body, byte for byte as Envoy must write it: given as JSON, Envoy would sort its names and add a line
        break."""
        return json.dumps(self.body(language), ensure_ascii=False, separators=(",", ":")).replace("%", "%%")


def _as_services_say(refusal: refusals.Refusal, statuses: tuple[int, int], status: int) -> Problem:
    return Problem(statuses, status, refusal.kind, refusal.code(), {lang: refusal.sentence(lang) for lang in LANGUAGES})


# The first row whose range (lowest, highest) contains Envoy's status applies.
PROBLEMS = (
    # Envoy answers 403 for a token with another audience; nothing else here answers 403.
    _as_services_say(refusals.TokenInvalid(), (401, 403), 401),
    _as_services_say(refusals.AddressUnknown(), (404, 404), 404),
    Problem(
        (408, 408),
        408,
        Kind.INVALID,
        "request-timeout",
        {
            "zh": "请求没有在限定时间内传完，请重试。",
            "en": "The request did not arrive in time. Send it again.",
        },
    ),
    _as_services_say(refusals.BodyTooLarge(limit=BODY_LIMIT_BYTES), (413, 413), 413),
    Problem(
        (431, 431),
        431,
        Kind.TOO_LARGE,
        "headers-too-large",
        {
            "zh": "请求头过大或过多，请减少后再试。",
            "en": "The headers are too large or too many. Send fewer.",
        },
    ),
    Problem(
        (429, 429),
        429,
        Kind.TOO_MANY,
        "too-many",
        {
            "zh": f"请求过于频繁，请在 {RETRY_AFTER_SECONDS} 秒后再试。",
            "en": f"Too many requests. Try again in {RETRY_AFTER_SECONDS} s.",
        },
    ),
    _as_services_say(refusals.Unavailable(retry_after=RETRY_AFTER_SECONDS), (500, 599), 503),
    Problem(
        (400, 499),
        400,
        Kind.INVALID,
        "bad-request",
        {
            "zh": "无法理解这个请求。请检查地址和请求头：地址里的中文须百分号编码；不接受带下划线的头和编码的斜杠。",
            "en": "The request cannot be read. Check its address and headers: other letters than ASCII must be "
            "percent-encoded; headers with an underscore and escaped slashes are not accepted.",
        },
    ),
)
