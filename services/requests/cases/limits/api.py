"""The routes to the clock of a case."""

from services.chassis.http.routes import Routes
from services.requests.cases.limits import commands
from services.requests.cases.steps.api import step_routes

routes = Routes("/v1/requests", "requests", step_routes(commands))
