"""The routes to one case and to its steps: the table of steps says their methods and addresses."""

from types import ModuleType

from services.chassis.http.routes import Route, Routes
from services.requests.cases.steps import commands, queries
from services.requests.cases.steps.commands import STEP_USE_CASES
from services.requests.cases.steps.model import STEPS
from services.requests.cases.steps.queries import CaseView


def step_routes(commands: ModuleType) -> list[Route]:
    """The routes to the steps that a module of commands takes."""
    taken = [(step, work) for step, work in STEP_USE_CASES.items() if work.__module__ == commands.__name__]
    methods = {step: STEPS[step].method for step, _ in taken}
    return [
        Route(methods[step], f"/{{case_id}}/{step}", work, CaseView, 200, keyed=methods[step] == "POST")
        for step, work in taken
    ]


routes = Routes("/v1/requests", "requests", step_routes(commands))
routes.get("/{case_id}", queries.get_case, view=CaseView)
