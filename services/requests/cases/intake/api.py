"""The routes by which a request comes in, and goes."""

from services.chassis.http.routes import Routes
from services.requests.cases.intake import commands
from services.requests.cases.steps.api import step_routes
from services.requests.cases.steps.queries import CaseView

routes = Routes("/v1/requests", "requests", step_routes(commands))
routes.post("", commands.file, view=CaseView, location="/v1/requests/{id}")
