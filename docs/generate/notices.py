"""The page of notices: who hears of which event, in which text, and why somebody does not."""

from collections.abc import Iterator, Sequence
from typing import Any

from docs.generate import tables
from docs.generate.catalogue import TEXTS
from services.chassis.domain.events import Event
from services.notify.app import subjects
from services.notify.rules.model import Audience, Subject, Tell

_HOW = (
    "Each thing that happens has an answer for everybody who may have a stake in it: the notice by which they are "
    "told, or why they are not. Nobody is told what they did themselves; of several notices of one event a person "
    "gets the first. ✉ is worth a text message as well, ⏰ is sent in quiet hours, too."
)
_MARKS = "✓ is told each time, ○ on the condition below, – is not told."


def page() -> str:
    """The whole page."""
    return tables.page("Notices", _HOW, *_subjects(), "## Nobody is told", _silent(), "## Texts", _texts())


def _subjects() -> Iterator[str]:
    for subject in subjects:
        if subject.parties:
            yield f"## {subject.name.capitalize()}"
            yield tables.table(("event", *(party.party for party in subject.parties)), _overview(subject))
            yield _MARKS
            for event in _announced(subject):
                yield f"### {event.__name__}\n\n{tables.first_line(event.__doc__)}"
                yield tables.table(("who", "told", "not told, because"), _answers(subject, event))


def _announced(subject: Subject[Any]) -> Sequence[type[Event]]:
    """In the order of the rules."""
    return [*dict.fromkeys(rule.event for rule in subject.rules)]


def _overview(subject: Subject[Any]) -> Iterator[Sequence[str]]:
    for event in _announced(subject):
        yield (f"`{event.__name__}`", *(_mark(subject, event, party) for party in subject.parties))


def _mark(subject: Subject[Any], event: type[Event], party: Audience[Any]) -> str:
    rules, because = subject.answers(event, party)
    return "✓" if rules and not because else "○" if rules else "–"


def _answers(subject: Subject[Any], event: type[Event]) -> Iterator[Sequence[str]]:
    for party in subject.parties:
        rules, because = subject.answers(event, party)
        yield party.party, "; ".join(map(_rule, rules)), "; ".join(because)


def _rule(rule: Tell[Any]) -> str:
    marks = f"{' ✉' if rule.texted else ''}{' ⏰' if rule.urgent else ''}"
    conditions = [] if rule.unconditional else [_sentence(rule.when.__doc__)]
    conditions += [f"nobody is found at the {rule.instead_of.party}"] if rule.instead_of else []
    conditions += ["none of them did it"] if rule.unless_own else []
    return f"`{rule.template}`{marks}" + (f", if {', and '.join(conditions)}" if conditions else "")


def _sentence(said: str | None) -> str:
    words = tables.first_line(said).rstrip(".")
    return words[:1].lower() + words[1:]


def _silent() -> str:
    rows = [
        (f"`{event.__name__}`", tables.first_line(event.__doc__), because)
        for subject in subjects
        for event, because in subject.silent.items()
    ]
    return tables.table(("event", "what it is", "because"), rows)


def _texts() -> str:
    templates = sorted({rule.template for subject in subjects for rule in subject.rules})
    said = [(name, TEXTS.words(f"notices.{name}", "title")) for name in templates]
    return tables.table(("notice", "en", "zh"), [(f"`{name}`", words.en, words.zh) for name, words in said])
