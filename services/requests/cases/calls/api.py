"""The route to what a volunteer needs who is called."""

from services.chassis.http.routes import Routes
from services.requests.cases.calls import queries
from services.requests.cases.calls.queries import CallView

routes = Routes("/v1/requests", "requests")
routes.get("/{case_id}/call", queries.get_call, view=CallView)
