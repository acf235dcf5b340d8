"""The route for tracking a case."""

from services.chassis.http.routes import Routes
from services.requests.cases.tracking import queries
from services.requests.cases.tracking.queries import TrackView

routes = Routes("/v1/track", "track")
routes.get("/{number}", queries.track, view=TrackView)
