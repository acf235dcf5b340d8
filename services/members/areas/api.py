"""The routes of areas."""

from services.chassis.http.routes import Routes
from services.members.areas import commands, queries
from services.members.areas.queries import AreaView

routes = Routes("/v1/areas", "areas")
routes.list("", queries.list_areas, view=AreaView)
routes.post("", commands.add_area, view=AreaView, location="/v1/areas/{id}")
routes.get("/{code}", queries.get_area, view=AreaView)
routes.put("/{code}/name", commands.rename_area, view=AreaView)
routes.put("/{code}/bounds", commands.bound_area, view=AreaView)
routes.post("/{code}/close", commands.close_area, view=AreaView, status=200)
