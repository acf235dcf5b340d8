"""The gateway's own refusals: problem+json (RFC 9457) in every language, as a table."""

import json
from dataclasses import dataclass, field
from typing import Any

from services.chassis.domain import refusals
from services.chassis.domain.refusals import Kind
from services.chassis.runtime.texts import load

RETRY_AFTER_SECONDS = 2
BODY_LIMIT_BYTES = 1024 * 1024
TEXTS = load(("services.gateway",))


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
            "title": TEXTS.title(self.kind, language),
            "status": self.status,
            "code": self.code,
            "detail": self.sentences[language],
        }

    def text(self, language: str) -> str:
        """The body, byte for byte as Envoy must write it: given as JSON, Envoy would sort its names and add a line
        break."""
        return json.dumps(self.body(language), ensure_ascii=False, separators=(",", ":")).replace("%", "%%")


def _as_services_say(refusal: refusals.Refusal, statuses: tuple[int, int], status: int) -> Problem:
    sentences = {one: TEXTS.sentence(refusal, one) for one in TEXTS.languages}
    return Problem(statuses, status, refusal.kind, refusal.code(), sentences)


def _own(status: int, kind: Kind, code: str, statuses: tuple[int, int] | None = None) -> Problem:
    facts = {"retry_after": RETRY_AFTER_SECONDS}
    sentences = {one: TEXTS.fill("refusals", code, one, facts) for one in TEXTS.languages}
    return Problem(statuses or (status, status), status, kind, code, sentences)


# The first row whose range (lowest, highest) contains Envoy's status applies.
PROBLEMS = (
    # Envoy answers 403 for a token with another audience; nothing else here answers 403.
    _as_services_say(refusals.TokenInvalid(), (401, 403), 401),
    _as_services_say(refusals.AddressUnknown(), (404, 404), 404),
    _own(408, Kind.INVALID, "request-timeout"),
    _as_services_say(refusals.BodyTooLarge(limit=BODY_LIMIT_BYTES), (413, 413), 413),
    _own(431, Kind.TOO_LARGE, "headers-too-large"),
    _own(429, Kind.TOO_MANY, "too-many"),
    _as_services_say(refusals.Unavailable(retry_after=RETRY_AFTER_SECONDS), (500, 599), 503),
    _own(400, Kind.INVALID, "bad-request", (400, 499)),
)
