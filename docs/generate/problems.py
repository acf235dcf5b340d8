"""The page of problems: every way in which Linli says no."""

from docs.generate import tables
from docs.generate.catalogue import refusals
from services.chassis.http.problems import STATUS


def page() -> str:
    """Code, status and both sentences of every refusal."""
    rows = [(f"`{kind.code()}`", STATUS[kind.kind], kind.en, kind.zh) for kind in refusals()]
    how = (
        "Every refusal is `application/problem+json` (RFC 9457) with a stable `code`, a `detail` that says what to do "
        "in the language of `Accept-Language` (zh or en), and `params` with the values in it. "
        "429 and 503 carry `Retry-After`."
    )
    return tables.page("Problems", how, tables.table(("code", "status", "en", "zh"), rows))
