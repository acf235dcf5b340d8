"""The routes of the catalogue."""

from services.chassis.http.routes import Routes
from services.requests.catalogue import commands, queries
from services.requests.catalogue.queries import ItemView

routes = Routes("/v1/catalogue", "catalogue")
routes.list("", queries.list_items, view=ItemView)
routes.get("/{code}", queries.get_item, view=ItemView)
routes.put("/{code}", commands.publish_item, view=ItemView)
routes.post("/{code}/withdraw", commands.withdraw_item, view=ItemView, status=200)
