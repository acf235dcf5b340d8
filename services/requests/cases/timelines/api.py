"""The route of the timeline."""

from services.chassis.http.routes import Routes
from services.requests.cases.timelines import queries
from services.requests.cases.timelines.queries import TimelineEntry

routes = Routes("/v1/requests", "requests")
routes.list("/{case_id}/timeline", queries.list_timeline, view=TimelineEntry)
