"""The gateway's own refusals: problem+json (RFC 9457) in every language, as a table."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.chassis.domain import refusals
from services.chassis.domain.refusals import Kind, Refusal
from services.chassis.domain.texts import Texts
from services.chassis.runtime.texts import load

RETRY_AFTER_SECONDS = 2
BODY_LIMIT_BYTES = 1024 * 1024
_NAME = "services.gateway"


@dataclass(frozen=True)
class Problem:
    """One row: statuses of Envoy's own answers, and what is answered instead; texts by language."""

    statuses: tuple[int, int]
    status: int
    code: str
    titles: dict[str, str]
    sentences: dict[str, str]

    @property
    def retry_after(self) -> int | None:
        """Seconds after which a repeat makes sense, or None."""
        return RETRY_AFTER_SECONDS if self.status in (429, 503) else None

    def body(self, language: str) -> dict[str, Any]:
        """The JSON of the answer, in the form of a service's own."""
        return {
            "type": f"urn:linli:problem:{self.code}",
            "title": self.titles[language],
            "status": self.status,
            "code": self.code,
            "detail": self.sentences[language],
        }

    def text(self, language: str) -> str:
        """The body, byte for byte as Envoy must write it: given as JSON, Envoy would sort its names and add a line
        break."""
        return json.dumps(self.body(language), ensure_ascii=False, separators=(",", ":")).replace("%", "%%")


def texts(city_data: Path | None = None) -> Texts:
    """What the gateway says, with the wording of the city in this folder; TextsUnfit as ``load``."""
    return load((_NAME,), city_data)


def problems(texts: Texts) -> tuple[Problem, ...]:
    """The table in these texts: the first row whose range (lowest, highest) contains Envoy's status applies."""
    return (
        # Envoy answers 403 for a token with another audience; nothing else here answers 403.
        _as_services_say(texts, refusals.TokenInvalid(), (401, 403), 401),
        _as_services_say(texts, refusals.AddressUnknown(), (404, 404), 404),
        _own(texts, 408, Kind.INVALID, "request-timeout"),
        _as_services_say(texts, refusals.BodyTooLarge(limit=BODY_LIMIT_BYTES), (413, 413), 413),
        _own(texts, 431, Kind.TOO_LARGE, "headers-too-large"),
        _own(texts, 429, Kind.TOO_MANY, "too-many"),
        # Envoy answers 501 for a transfer coding that it does not know: a repeat would not help.
        _own(texts, 400, Kind.INVALID, "bad-request", (501, 501)),
        _as_services_say(texts, refusals.Unavailable(retry_after=RETRY_AFTER_SECONDS), (500, 599), 503),
        _own(texts, 400, Kind.INVALID, "bad-request", (400, 499)),
    )


def _as_services_say(texts: Texts, refusal: Refusal, statuses: tuple[int, int], status: int) -> Problem:
    sentences = {one: texts.sentence(refusal, one) for one in texts.languages}
    return Problem(statuses, status, refusal.code(), _titles(texts, refusal.kind), sentences)


def _own(texts: Texts, status: int, kind: Kind, code: str, statuses: tuple[int, int] | None = None) -> Problem:
    facts = {"retry_after": RETRY_AFTER_SECONDS}
    sentences = {one: texts.fill("refusals", code, one, facts) for one in texts.languages}
    return Problem(statuses or (status, status), status, code, _titles(texts, kind), sentences)


def _titles(texts: Texts, kind: Kind) -> dict[str, str]:
    return {one: texts.title(kind, one) for one in texts.languages}
