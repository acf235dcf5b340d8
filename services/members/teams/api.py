"""The routes of volunteer teams."""

from services.chassis.http.routes import Routes
from services.members.teams import commands, queries
from services.members.teams.queries import TeamView

routes = Routes("/v1/teams", "teams")
routes.list("", queries.list_teams, view=TeamView)
routes.post("", commands.found_team, view=TeamView, location="/v1/teams/{id}")
routes.get("/{team_id}", queries.get_team, view=TeamView)
routes.put("/{team_id}/members/{person_id}", commands.add_member, view=TeamView)
routes.delete("/{team_id}/members/{person_id}", commands.remove_member, view=TeamView)
routes.put("/{team_id}/leader", commands.appoint_team_leader, view=TeamView)
routes.put("/{team_id}/on-duty", commands.put_on_duty, view=TeamView)
routes.put("/{team_id}/off-duty", commands.put_off_duty, view=TeamView)
