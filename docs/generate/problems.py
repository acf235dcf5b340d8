"""The page of problems: every way in which Linli says no."""

from deploy.gateway.problems import problems, texts
from docs.generate import tables
from docs.generate.catalogue import TEXTS, refusals
from services.chassis.http.problems import status_of

_HOW = (
    "Every refusal is `application/problem+json` (RFC 9457) with a stable `code`, a `detail` that says what to do "
    "in the language of `Accept-Language` (zh, en, or another in which there are texts), "
    "and `params` with the values in it. "
    "429 and 503 carry `Retry-After`."
)
_GATEWAY = "What does not get as far as a service is answered in the same form, without `params`."
_LANGUAGES = ("en", "zh")
_HEAD = ("code", "status", *_LANGUAGES)


def page() -> str:
    """Code, status and sentences of every refusal, by the services and by the gateway before them."""
    services = [
        (f"`{kind.code()}`", status_of(kind), *(TEXTS.get("refusals", kind.code(), one) for one in _LANGUAGES))
        for kind in refusals()
    ]
    gateway = [
        (f"`{one.code}`", one.status, *(one.sentences[language] for language in _LANGUAGES))
        for one in problems(texts())
    ]
    return tables.page(
        "Problems",
        _HOW,
        tables.table(_HEAD, services),
        "## By the gateway",
        _GATEWAY,
        tables.table(_HEAD, sorted(gateway)),
    )
