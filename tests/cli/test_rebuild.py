"""`linli rebuild`: what it asks of which service, and what it says of the answers."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import typer

from deploy.cli import rebuild
from deploy.local import Trouble
from services.chassis.operations.protocol import RebuildRequest, Request

COUNTS: dict[str, Any] = {
    "looked_at": 24,
    "differing": 1,
    "mended": 0,
    "broken": 0,
    "ids": ["case_1: differs in state"],
}
FOUND: dict[str, Any] = {**COUNTS, "broken_ids": [], "resumed_after": None, "dry_run": True, "clean": True}
NOTHING: dict[str, Any] = {
    **dict.fromkeys(COUNTS, 0),
    "ids": [],
    "broken_ids": [],
    "resumed_after": None,
    "dry_run": True,
}


class Running:
    """A stack of which only the answers matter."""

    @classmethod
    def of(cls, _: Any) -> "Running":
        return cls()

    def running(self) -> "Running":
        return self


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Request]]:
    """(service, request) of each question; requests has cases, the others have none."""
    said: list[tuple[str, Request]] = []

    def answer(_: Any, services: Sequence[str], request: Callable[[str], Request]) -> list[Any]:
        said.extend((service, request(service)) for service in services)
        having = {"service": "requests", "kind": "case", "kinds": ["case", "item"], **FOUND}
        lacking = {"kind": "case", "kinds": ["message"], "clean": False, **NOTHING}
        return [having if service == "requests" else {"service": service, **lacking} for service in services]

    monkeypatch.setattr(rebuild, "Stack", Running)
    monkeypatch.setattr(rebuild, "ask_each", answer)
    return said


def test_without_yes_it_only_shows(asked: list[tuple[str, Request]], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        rebuild.command("case")
    said = capsys.readouterr().out
    assert ended.value.exit_code == 0, "a service without such a kind is no failure"
    assert asked == [(service, RebuildRequest(kind="case")) for service in ("members", "requests", "notify")]
    assert "requests case: 24 checked, 1 differing, 0 repaired, 0 broken\n  case_1: differs in state\n" in said
    assert "1 would be written. Say --yes to do it." in said


def test_what_is_asked_for_is_passed_on(asked: list[tuple[str, Request]]) -> None:
    with pytest.raises(typer.Exit):
        rebuild.command("case", service="requests", id="case_1", yes=True, again=True)
    assert asked == [("requests", RebuildRequest(kind="case", id="case_1", write=True, again=True))]


def test_an_unknown_kind_is_answered_with_those_that_there_are(asked: list[tuple[str, Request]]) -> None:
    with pytest.raises(Trouble, match="requests: case, item"):
        rebuild.command("tin")
    with pytest.raises(Trouble, match="choose one of members"):
        rebuild.command("case", service="portal")
