"""The routes of organisations."""

from services.chassis.http.routes import Routes
from services.members.organisations import commands, queries
from services.members.organisations.queries import OrganisationView

routes = Routes("/v1/organisations", "organisations")
routes.list("", queries.list_organisations, view=OrganisationView)
routes.post("", commands.found_organisation, view=OrganisationView, location="/v1/organisations/{id}")
routes.get("/{organisation_id}", queries.get_organisation, view=OrganisationView)
routes.put("/{organisation_id}/leader", commands.appoint_leader, view=OrganisationView)
