"""What filing a request and each step may ask of the database: a round trip more must be meant.

Counted in the process that answers, without relay and reactions, by the driver's own command monitoring.
"""

from services.chassis.usecase import Context
from services.requests.cases.intake.commands import FileRequest, file
from tests.requests.guards import step_rows
from tests.requests.town import PATROL, RESIDENT, Town, filing
from tests.support import guards
from tests.support.calls import CALLS

FILE = {"find": 3, "insert": 1}
"""The service item, the areas above the place, the organisations that serve it; the number comes with the insert."""
STEP = {"find": 1, "update": 1}
"""A step that needs nothing but its case."""
FINDS = {"route": 2, "assign_handler": 2, "assign_team": 3, "return_case": 6, "reopen": 2, "forget": 2}
"""Steps that look for somebody else, or whether the caller's rights were taken meanwhile."""


async def test_filing_asks_the_database_no_more_often_than_its_budget(town: Town) -> None:
    await file(_context(town, "warm"), FileRequest(**filing()))  # keys are loaded
    with CALLS.counted() as calls:
        await file(_context(town, "counted"), FileRequest(**filing()))
    assert calls == FILE


async def test_each_step_asks_the_database_no_more_often_than_its_budget(town: Town) -> None:
    await town.team(PATROL, capacity=100_000)
    rows = {row.command.rpartition(".")[2]: row for row in step_rows(town) if row.right == guards.OK}
    await guards.insert(town.container, rows.values())
    found = {}
    for step, row in rows.items():
        with CALLS.counted() as calls:
            await row.run(town.container.context(row.actor, f"counted:{step}"))
        found[step] = dict(calls)
    assert found == {step: STEP | ({"find": FINDS[step]} if step in FINDS else {}) for step in rows}


def _context(town: Town, cause: str) -> Context:
    return town.container.context(RESIDENT, cause)
