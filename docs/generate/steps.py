"""The page of steps: who may do what with a case, in which state."""

from docs.generate import tables
from docs.generate.catalogue import TEXTS
from services.contracts.members.roles import Role
from services.requests.cases.states.model import STATE_AFTER, State
from services.requests.cases.steps.model import ENTITLED, STEPS, Rule


def page() -> str:
    """The whole page."""
    return tables.page("Steps", _HOW, _who(), "## In which state", _when(), "## States", _states())


_HOW = (
    "Each step is `POST` or `PUT /v1/requests/{id}/<step>`; `GET /v1/requests/{id}` lists those that its reader may "
    "take now, with the fields that its body must have. A step that the state does not allow is refused with "
    "`step-not-allowed` and the steps that it does."
)


def _who() -> str:
    rows = [
        (f"`{rule.method} …/{step}`", *_named("steps", step), _needs(rule), _who_may(rule))
        for step, rule in STEPS.items()
    ]
    return tables.table(("step", "en", "zh", "fields it needs", "who"), rows)


def _who_may(rule: Rule) -> str:
    called = [f"{', '.join(rule.called.roles)} who is called about a case of danger"] if rule.called else []
    another = ["not who filed it"] if rule.by_another else []
    return "; ".join([*map(_role, rule.roles), *called, *another])


def _named(section: str, key: str) -> tuple[str, str]:
    words = TEXTS.words(section, key)
    return words.en, words.zh


def _needs(rule: Rule) -> str:
    return ", ".join(f"`{name}`" for name in rule.needs)


def _role(role: Role) -> str:
    return f"{role} {ENTITLED[role].words}"


def _when() -> str:
    return tables.table(("state", *STEPS), [(f"`{state}`", *_marks(state)) for state in State])


def _marks(state: State) -> list[str]:
    return [_mark(rule, state) for rule in STEPS.values()]


def _mark(rule: Rule, state: State) -> str:
    return "/".join(role[0] for role in rule.roles) if state in rule.states else ""


def _states() -> str:
    rows = [
        (f"`{state}`", *_named("states", state), ", ".join(e.__name__ for e, on in STATE_AFTER.items() if on is state))
        for state in State
    ]
    letters = ", ".join(f"{role[0]} {role}" for role in ENTITLED)
    return f"In the table above: {letters}.\n\n" + tables.table(("state", "en", "zh", "entered by"), rows)
