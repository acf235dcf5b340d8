"""The route by which a case is forgotten."""

from services.chassis.http.routes import Routes
from services.requests.cases.forgetting import commands

routes = Routes("/v1/requests", "requests")
routes.post("/{case_id}/forget", commands.forget, status=204)
