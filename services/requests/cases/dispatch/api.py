"""The routes to giving a case to somebody by hand, or by the rules again."""

from services.chassis.http.routes import Routes
from services.requests.cases.dispatch import commands
from services.requests.cases.steps.api import step_routes

routes = Routes("/v1/requests", "requests", step_routes(commands))
