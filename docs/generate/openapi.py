"""The merged OpenAPI document, as the gateway shows it."""

import json
from typing import Any, cast

from fastapi import FastAPI

from deploy.gateway import merge, routes
from docs.generate.catalogue import SERVICES
from services.chassis.http import problems
from services.chassis.runtime.service import VERSION, Service
from services.chassis.runtime.texts import load

_NOBODY = cast(Any, None)  # the routes are described here, never called


def document() -> str:
    """The document as JSON."""
    documents = {name: _application(service).openapi() for name, service in SERVICES.items()}
    return json.dumps(merge.merge(documents, routes.PUBLIC), ensure_ascii=False, indent=1) + "\n"


def _application(service: Service) -> FastAPI:
    app = FastAPI(title=f"Linli {service.name}", version=VERSION)
    problems.install(app, load(service.texts))
    for table in service.routes:
        table.install(app, container=_NOBODY, tokens=_NOBODY, audit=_NOBODY)
    return app
