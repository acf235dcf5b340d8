"""The route of suggestions: a POST that changes nothing."""

from services.chassis.http.routes import Routes
from services.requests.suggestions import queries
from services.requests.suggestions.queries import Suggestions

routes = Routes("/v1/catalogue", "catalogue")
routes.post("/suggest", queries.suggest_items, view=Suggestions, status=200, keyed=False)
