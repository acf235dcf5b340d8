"""The routes of duty rosters."""

from services.chassis.http.routes import Routes
from services.members.rosters import commands, queries
from services.members.rosters.queries import RosterView

routes = Routes("/v1/rosters", "rosters")
routes.list("", queries.list_rosters, view=RosterView)
routes.post("", commands.start_roster, view=RosterView, location="/v1/rosters/{id}")
routes.get("/{roster_id}", queries.get_roster, view=RosterView)
routes.post("/{roster_id}/shifts", commands.add_shifts, view=RosterView, status=200)
routes.delete("/{roster_id}/shifts/{shift_id}", commands.remove_shift, view=RosterView)
