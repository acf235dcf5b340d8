"""The matrix *route × role × object of somebody else*: who is refused, and by what."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from docs.generate.pages import FOLDER
from docs.generate.tables import table
from tests.journeys.foreign import Aim, aims
from tests.journeys.operations import Operation, all_operations
from tests.journeys.starting import starting
from tests.journeys.town import OTHER_COUNTY, Person, Town

PAGE = FOLDER / "security-matrix.md"
NOBODY, RESIDENT = "nobody", "resident"
TITLE = "Who gets how far with what is somebody else's"
MADE = "made by `python -m tests.journeys.matrix` from a running town: do not edit"
STAFF = ("operator", "handler", "dispatcher", "supervisor", "administrator", "auditor")
PLACES = {"auditor": "9901"}
"""Where a role is given; in another county, where it is not said: an auditor is of the whole city."""
OF_DUTY = {("GET /v1/audit", "auditor")}
"""What a role is there to read, whosever it is."""
EVERYBODY_READS = {"areas", "organisations", "teams", "catalogue"}
"""What stands there is known to all, so that a foreign change of it is 403; of anything else not even that it is."""
OF_ONESELF = {"me", "preferences", "sign-in"}
"""What is done there names nothing but oneself."""
FOR_ANY_PLACE = {("POST /v1/requests", RESIDENT), ("GET /v1/requests/alike", RESIDENT)}
"""A resident may see a thing in need of repair anywhere, and say so."""
FOR_SOMEBODY = {("POST /v1/requests", "operator")}
"""What an operator does for somebody else, and the resident for themselves."""
REFUSED_TO_ALL = {"outside-your-places", "area-outside-yours", "not-your-team", "citywide-only"}
"""Refused to an actor who is not in charge of the place."""


class Cell(StrEnum):
    """What an operation came to."""

    SIGN_IN = "sign in"
    ROLE = "role"
    PLACE = "place"
    HIDDEN = "hidden"
    OPEN = "open"
    OWN = "own"
    DUTY = "duty"


WORDS: Mapping[Cell, str] = {
    Cell.SIGN_IN: "refused: one is not signed in (401)",
    Cell.ROLE: "refused: one has not the role (403)",
    Cell.PLACE: "refused: one is not in charge of the place or the team (403)",
    Cell.HIDDEN: "refused, in the same words as if it were not there (404)",
    Cell.OPEN: "answered: what everybody may read or do",
    Cell.OWN: "answered with one's own things alone, none of somebody else's among them",
    Cell.DUTY: "answered: what the role is there to read, of whomever it is",
}


class Breach(AssertionError):
    """A stranger got further than they should."""


@dataclass(frozen=True)
class Answer:
    """What came back: a twin that names nothing has to be answered alike."""

    status: int
    code: str | None
    detail: str | None
    text: str

    def alike(self, other: "Answer") -> bool:
        """Whether one cannot tell the two apart."""
        return (self.status, self.code, self.detail) == (other.status, other.code, other.detail)


def actors(town: Town) -> dict[str, Person | None]:
    """Nobody, a resident who owns nothing of it, and one of each role of staff in another county."""
    staff = {role: town.hire(PLACES.get(role, OTHER_COUNTY), role) for role in STAFF}
    return {NOBODY: None, RESIDENT: town.resident(), **staff}


def rows(
    town: Town, operations: Sequence[Operation], aims: Mapping[str, Aim]
) -> dict[Operation, dict[str, Cell | Breach]]:
    """Every operation by every actor."""
    known = {operation.collection for operation in operations if operation.names_an_object}
    assert known <= set(aims), f"say in `aims` what of {known - set(aims)} is somebody else's"
    assert known == set(aims), f"no operation names an object of {set(aims) - known}"
    everybody = actors(town)
    return {
        operation: {name: _cell(town, operation, aims, name, who) for name, who in everybody.items()}
        for operation in operations
    }


def _cell(town: Town, operation: Operation, aims: Mapping[str, Aim], name: str, who: Person | None) -> Cell | Breach:
    try:
        if operation.names_an_object:
            return _aimed(town, operation, aims[operation.collection], name, who)
        return _unaimed(town, operation, aims, name, who)
    except Breach as breach:
        return breach


def _aimed(town: Town, operation: Operation, aim: Aim, name: str, who: Person | None) -> Cell:
    """At an object of somebody else, and at one that is not there."""
    before = aim.look()
    answer = _tried(town, operation, aim.names, aim.params, who)
    if aim.look() != before:
        raise Breach(f"changed it ({answer.status})")
    cell = _refused(operation, answer, name)
    open_to_all = operation.collection in EVERYBODY_READS
    if cell is None and open_to_all and operation.method == "GET" and answer.status == 200:
        return Cell.OPEN
    if cell not in (Cell.SIGN_IN, Cell.ROLE, Cell.PLACE if open_to_all else Cell.HIDDEN):
        raise Breach(f"{answer.status} {answer.code} {answer.detail}")
    if cell is Cell.HIDDEN and not answer.alike(_tried(town, operation, aim.missing, aim.params, who)):
        raise Breach("what is there is answered otherwise than what is not")
    return cell


def _unaimed(town: Town, operation: Operation, aims: Mapping[str, Aim], name: str, who: Person | None) -> Cell:
    """With a place of somebody else where it takes one."""
    if operation.collection in OF_ONESELF and _allowed(operation, name):
        return Cell.OPEN if name == NOBODY else Cell.OWN
    if operation.path.endswith("/stream") and _allowed(operation, name):
        return Cell.OWN  # never ends; what it carries is tested with the inbox
    if (str(operation), name) in FOR_SOMEBODY:
        resident = {"on_behalf_of": aims["people"].names["person_id"]}
        operation = replace(operation, body={**operation.body, **resident})
    answer = _tried(town, operation, {}, {}, who)
    cell = _refused(operation, answer, name)
    if cell is not None:
        return cell
    if "public" in operation.roles or (str(operation), name) in FOR_ANY_PLACE:
        return Cell.OPEN
    if answer.status == 200 and (str(operation), name) in OF_DUTY:
        return Cell.DUTY
    shown = [collection for collection, aim in aims.items() if _private(collection, aim) & _words(answer.text)]
    if answer.status != 200 or shown:
        raise Breach(f"{answer.status} {answer.code} {answer.detail} {shown}")
    return Cell.OWN


def _private(collection: str, aim: Aim) -> set[str]:
    return set() if collection in EVERYBODY_READS else set(aim.names.values())


def _words(text: str) -> set[str]:
    return set(text.replace('"', " ").split())


def _allowed(operation: Operation, name: str) -> bool:
    return not operation.roles.isdisjoint({name, "public"})


def _refused(operation: Operation, answer: Answer, name: str) -> Cell | None:
    """By what it was refused; None where it was not, or by something that is no reason."""
    if name == NOBODY and "public" not in operation.roles:
        return Cell.SIGN_IN if (answer.status, answer.code) == (401, "sign-in-needed") else None
    if not _allowed(operation, name):
        return Cell.ROLE if (answer.status, answer.code) == (403, "forbidden") else None
    if answer.status == 403 and answer.code in REFUSED_TO_ALL:
        return Cell.PLACE
    return Cell.HIDDEN if (answer.status, answer.code) == (404, "not-found") else None


def _tried(
    town: Town, operation: Operation, names: Mapping[str, str], params: Mapping[str, str], who: Person | None
) -> Answer:
    path, params = operation.path.format(**names), {**operation.params, **params}
    answer = town.ask(operation.method, path, who, operation.body, params=params)
    parsed: Any = answer.json() if answer.content else {}
    found = parsed if isinstance(parsed, dict) else {}
    return Answer(answer.status_code, found.get("code"), found.get("detail"), answer.text)


def written(found: Mapping[Operation, Mapping[str, Cell | Breach]]) -> str:
    """The page that shows it."""
    names = [NOBODY, RESIDENT, *STAFF]
    head = ["route", *names]
    lines = [[f"`{operation}`", *(cells[name] for name in names)] for operation, cells in found.items()]
    legend = table(["cell", "what it says"], [[cell, words] for cell, words in WORDS.items()])
    said = (
        "Each route is tried, in a running town, by everybody in the head of the table: staff of another county with\n"
        "that one role (the auditor is of the whole city), and a resident who owns nothing of what is named. The\n"
        "object belongs to a resident, a place or an account of the first county, and the body fits, so that a\n"
        "refusal comes from what the cell says."
    )
    parts = [f"# {TITLE}", f"<!-- {MADE} -->", said, legend, table(head, lines)]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """``python -m tests.journeys.matrix``: try everything in a town of its own, and write the page."""
    with TemporaryDirectory() as folder, starting(Path(folder), {}) as town:
        PAGE.write_text(written(rows(town, all_operations(town), aims(town))))
    sys.stdout.write(f"{PAGE} written\n")


if __name__ == "__main__":
    main()
