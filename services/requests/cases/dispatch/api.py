"""The doors to giving a case to somebody by hand, or by the rules anew."""

from services.chassis.http.routes import Routes
from services.requests.cases.dispatch import commands
from services.requests.cases.steps.queries import CaseView

routes = Routes("/v1/requests", "requests")
routes.put("/{case_id}/team", commands.assign_team, view=CaseView)
routes.put("/{case_id}/handler", commands.assign_handler, view=CaseView)
routes.post("/{case_id}/route", commands.route, view=CaseView, status=200)
