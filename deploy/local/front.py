"""The files that the gateway serves: its configuration, and one API document for all services."""

from pathlib import Path

import orjson

from deploy.gateway import merge, problems, render, routes
from deploy.gateway.limits import Limits, LimitUnfit
from deploy.local import tools, waiting
from deploy.local.layout import Layout
from deploy.local.processes import SERVICES
from deploy.local.trouble import Trouble
from services.chassis.domain.texts import Texts, TextsUnfit


def prepare(layout: Layout) -> None:
    """Write both files and let Envoy validate its own; Trouble with Envoy's message."""
    openapi = layout.home.run / "openapi.json"
    describe(layout)
    configuration = layout.home.run / "envoy.yaml"
    ports = layout.ports.named()
    gateway = render.Gateway(
        port=layout.ports.gateway,
        admin=layout.home.gateway_admin,
        metrics_port=layout.ports.gateway_metrics,
        webs={service: [ports[web.port] for web in layout.several(service, "web")] for service in SERVICES},
        jwks=layout.jwks,
        issuer=layout.given.get("LINLI_ISSUER", "linli"),
        audience=layout.given.get("LINLI_AUDIENCE", "linli"),
        openapi=openapi,
        limits=_limits(layout),
        texts=_texts(layout),
    )
    configuration.write_text(render.render(gateway))
    complaints = render.complaints(tools.envoy(), configuration)
    if complaints:
        raise Trouble(f"Envoy rejects {configuration}: fix deploy/gateway/envoy.yaml.", lines=complaints)


def describe(layout: Layout) -> None:
    """Write the merged document of the services that answer now."""
    documents = {}
    for service in SERVICES:
        status, body = waiting.get(f"{layout.address(f'{service}-web')}/openapi.json", 5)
        if status == 200:
            documents[service] = orjson.loads(body)
    merged = merge.merge(documents, routes.PUBLIC)
    (layout.home.run / "openapi.json").write_bytes(orjson.dumps(merged))


def _texts(layout: Layout) -> Texts:
    try:
        return problems.texts(Path(layout.environment("members", "web")["LINLI_CITY_DATA"]))
    except TextsUnfit as error:
        raise Trouble(f"The texts are wrong: {error}") from None


def _limits(layout: Layout) -> Limits:
    try:
        return Limits.of(layout.given)
    except LimitUnfit as error:
        raise Trouble(str(error)) from None
