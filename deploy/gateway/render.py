"""Renders Envoy's configuration from the template and the tables, and lets Envoy check it."""

import importlib.util
import re
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deploy.gateway import limits, problems, routes
from deploy.gateway.limits import Limits
from services.chassis.domain.texts import Texts
from services.chassis.domain.words import DEFAULT
from services.chassis.http.connections import HOST, KEEP_ALIVE_SECONDS
from services.chassis.http.signing import SCHEMES
from services.contracts.members.work import CLIENT_ADDRESS

FOLDER = Path(__file__).parent
PAGE = FOLDER / "page"
# The gateway closes its idle connections to the services before the services do.
UPSTREAM_IDLE_SECONDS = KEEP_ALIVE_SECONDS - 15
PAGE_POLICY = "; ".join(
    ("default-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "frame-ancestors 'none'")
)


@dataclass(frozen=True)
class Gateway:
    """The variable parts of a gateway's configuration; `webs` are the ports of the services, `openapi` the merged
    document, `admin` the socket of Envoy's administration."""

    port: int
    admin: Path
    metrics_port: int
    webs: Mapping[str, Sequence[int]]
    jwks: Path
    issuer: str = "linli"
    audience: str = "linli"
    host: str = "127.0.0.1"
    openapi: Path | None = None
    limits: Limits = field(default_factory=Limits)
    texts: Texts = field(default_factory=problems.texts)


@dataclass(frozen=True)
class Page:
    """A file that the gateway serves."""

    path: str
    file: str
    media_type: str


@dataclass(frozen=True)
class Language:
    """A language of the problems, with the Accept-Language headers that ask for it."""

    name: str
    pattern: str


def render(gateway: Gateway) -> str:
    """Envoy's configuration, as YAML."""
    loader = Environment(loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=False)  # noqa: S701
    return loader.get_template("envoy.yaml").render(
        port=gateway.port,
        admin=str(gateway.admin),
        metrics_port=gateway.metrics_port,
        host=gateway.host,
        issuer=gateway.issuer,
        audience=gateway.audience,
        jwks=str(gateway.jwks),
        services=[{"name": name, "ports": ports} for name, ports in gateway.webs.items()],
        routes=routes.routes(),
        streams=routes.streams(),
        posts=routes.posts(),
        limits=gateway.limits,
        public_limits=gateway.limits.of_public_routes(),
        subject_limits=gateway.limits.of_subjects(),
        operator=limits.OPERATOR,
        most_counted=limits.MOST_COUNTED,
        schemes=SCHEMES,
        identity_prefixes=routes.IDENTITY_PREFIXES,
        identity_headers=routes.IDENTITY_HEADERS,
        client_address=CLIENT_ADDRESS,
        problems=problems.problems(gateway.texts),
        languages=languages(gateway.texts.languages),
        pages=pages(gateway.openapi),
        page_policy=PAGE_POLICY,
        body_limit=problems.BODY_LIMIT_BYTES,
        host_pattern=HOST.pattern.decode(),
        upstream_idle_seconds=UPSTREAM_IDLE_SECONDS,
    )


def languages(tags: Sequence[str]) -> list[Language]:
    """Languages with the headers that ask for them: the first that a header names; the default for every other header.

    Envoy matches headers by RE2, which cannot compare weights as the services do: clients name the most wanted first.
    """
    others = [tag for tag in sorted(tags, key=lambda tag: (-len(tag), tag)) if tag != DEFAULT]
    skipped = rf"(({_beginning_with_none(tags)})?,\s*)*"
    return [*(Language(tag, rf"(?i)\s*{skipped}{tag}.*") for tag in others), Language(DEFAULT, ".*")]


def _beginning_with_none(prefixes: Collection[str]) -> str:
    """A pattern of what lies between two commas and begins with none of these: RE2 has no negative look-ahead."""
    heads = sorted({prefix[0] for prefix in prefixes})
    inner = [(head, {one[1:] for one in prefixes if one[0] == head}) for head in heads]
    longer = [f"{re.escape(head)}({_beginning_with_none(tails)})?" for head, tails in inner if "" not in tails]
    return "|".join([rf"[^,\s{re.escape(''.join(heads))}][^,]*", *longer])


def pages(openapi: Path | None) -> list[Page]:
    """The API page with all that it needs offline, and the merged document if it exists."""
    swagger = _swagger()
    found = [
        Page("/", str(PAGE / "index.html"), "text/html; charset=utf-8"),
        Page("/page/page.js", str(PAGE / "page.js"), "text/javascript; charset=utf-8"),
        Page("/page/swagger-ui-bundle.js", str(swagger / "swagger-ui-bundle.js"), "text/javascript; charset=utf-8"),
        Page("/page/swagger-ui.css", str(swagger / "swagger-ui.css"), "text/css; charset=utf-8"),
    ]
    if openapi and openapi.exists():
        found.append(Page("/openapi.json", str(openapi), "application/json"))
    return found


def complaints(envoy: str, configuration: Path) -> tuple[str, ...]:
    """Envoy's errors on a configuration, and its warnings, because it starts in spite of those."""
    checking = [envoy, "--mode", "validate", "--log-level", "warning", "-c", str(configuration)]
    done = subprocess.run(checking, capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).splitlines()
    against = tuple(line for line in said if "[warning]" in line or "[error]" in line or "[critical]" in line)
    return against or (tuple(said[-3:]) if done.returncode else ())


def _swagger() -> Path:
    """The folder of Swagger UI in the Python package that ships it."""
    spec = importlib.util.find_spec("fastapi_standalone_docs")
    folders = (spec.submodule_search_locations if spec else None) or ["fastapi_standalone_docs-is-missing"]
    return Path(folders[0]) / "static" / "swagger"
