"""The routes to the list of cases."""

from services.chassis.http.routes import Routes
from services.chassis.storage.listings import Counts
from services.requests.cases import queries
from services.requests.cases.queries import CaseSummary

routes = Routes("/v1/requests", "requests")
routes.list("", queries.list_cases, view=CaseSummary)
routes.find("/find", queries.find_cases, view=CaseSummary)
routes.get("/counts", queries.count_cases, view=Counts)
