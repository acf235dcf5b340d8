"""The doors to one case and to the steps that need nothing but it."""

from services.chassis.http.routes import Routes
from services.requests.cases.steps import commands, queries
from services.requests.cases.steps.queries import CaseView

routes = Routes("/v1/requests", "requests")
routes.get("/{case_id}", queries.get_case, view=CaseView)
routes.post("/{case_id}/accept", commands.accept, view=CaseView, status=200)
routes.post("/{case_id}/start", commands.start, view=CaseView, status=200)
routes.post("/{case_id}/resolve", commands.resolve, view=CaseView, status=200)
routes.post("/{case_id}/call-back", commands.call_back, view=CaseView, status=200)
routes.post("/{case_id}/rate", commands.rate, view=CaseView, status=200)
routes.post("/{case_id}/close", commands.close, view=CaseView, status=200)
routes.post("/{case_id}/comment", commands.comment, view=CaseView, status=200)
