"""Texts that only staff read: each of them is walked through in the journey that looks where they might come out."""

from services.chassis.usecase import Command
from services.requests.cases.steps.commands import AMONG_STAFF, TO_WHOM_IT_SAYS
from tests.architecture.test_writing import commands
from tests.journeys.test_who_reads import STEPS


def test_each_text_among_staff_is_said_on_the_way() -> None:
    among = {
        f"{command.__name__}.{name}"
        for command in commands(Command)
        for name, field in command.model_fields.items()
        if AMONG_STAFF in str(field) or TO_WHOM_IT_SAYS in str(field)
    }
    assert {text for _, _, text, _ in STEPS if text} == among
