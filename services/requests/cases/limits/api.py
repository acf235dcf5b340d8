"""The doors to the clock of a case."""

from services.chassis.http.routes import Routes
from services.requests.cases.limits import commands
from services.requests.cases.steps.queries import CaseView

routes = Routes("/v1/requests", "requests")
routes.post("/{case_id}/pause", commands.pause, view=CaseView, status=200)
routes.post("/{case_id}/resume", commands.resume, view=CaseView, status=200)
routes.post("/{case_id}/return", commands.return_case, view=CaseView, status=200)
routes.post("/{case_id}/urge", commands.urge, view=CaseView, status=200)
