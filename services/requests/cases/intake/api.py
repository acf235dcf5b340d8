"""The doors by which a request comes in, and goes."""

from services.chassis.http.routes import Routes
from services.requests.cases.intake import commands
from services.requests.cases.steps.queries import CaseView

routes = Routes("/v1/requests", "requests")
routes.post("", commands.file, view=CaseView, location="/v1/requests/{id}")
routes.post("/{case_id}/verify", commands.verify, view=CaseView, status=200)
routes.post("/{case_id}/reject", commands.reject, view=CaseView, status=200)
routes.post("/{case_id}/cancel", commands.cancel, view=CaseView, status=200)
routes.post("/{case_id}/reopen", commands.reopen, view=CaseView, status=200)
