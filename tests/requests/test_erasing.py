"""With a person all of their cases are forgotten, also those that come late, and nothing more is filed."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.chassis.domain.scope import Actor
from services.chassis.domain.values import now
from services.chassis.messaging.erasures import sweep, sweeps
from services.chassis.storage.vault import Vault
from services.requests.cases.forgetting import model
from services.requests.cases.forgetting.timers import forget_person
from services.requests.cases.model import Case
from tests.requests.forgetting import (
    LATER,
    SAID,
    WORDS,
    lived,
    readable,
)
from tests.requests.town import (
    OPERATOR,
    RESIDENT,
    Town,
    filing,
)


async def somebody(town: Town, name: str) -> Actor:
    """A resident whom no other test knows: what is known of keys is kept from test to test."""
    await town.container.vault.mint(f"person_{name}", now())
    return Actor(f"account_{name}", frozenset({"resident"}), person=f"person_{name}")


async def test_all_cases_of_an_erased_resident_are_forgotten_and_open_ones_withdrawn(town: Town) -> None:
    zhao = await somebody(town, "zhao")
    closed, still_open = await lived(town, zhao), await town.file(zhao, **WORDS)
    others = await town.file(title="kept-title")
    await town.container.vault.keep({"person_zhao": None}, sweeps(now()))
    assert await sweep(forget_person, town.container) == 1
    assert [(await town.case(case["id"])).state for case in (closed, still_open)] == ["closed", "cancelled"]
    left = await readable(town)
    assert [word for word in (*SAID, *LATER) if word in left] == []
    assert "kept-title" in left
    assert (await town.get(RESIDENT, f"/v1/requests/{others['id']}")).json()["title"] == "kept-title"
    assert await forget_person(town.container, "person_zhao") == 0


async def test_a_case_that_came_in_after_the_first_sweep_is_found_by_the_second(town: Town) -> None:
    qian, at = await somebody(town, "qian"), now()
    await town.file(qian)  # by a process that trusts what it has seen of a key for a minute
    await Vault(town.container.mongo, town.container.vault.master).keep({"person_qian": None}, sweeps(at))
    assert await sweep(forget_person, town.container) == 1
    case = await town.file(qian)
    assert await sweep(forget_person, town.container) == 0
    later = replace(town.container, clock=lambda: at + timedelta(minutes=5))
    assert await sweep(forget_person, later) == 1
    assert (await town.case(case["id"])).forgotten == "erased"
    assert await sweep(forget_person, later) == 0


async def test_a_case_that_cannot_be_forgotten_keeps_neither_other_cases_nor_other_people(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, forget = now(), model.forget
    wu, zheng = await somebody(town, "wu"), await somebody(town, "zheng")
    bad, good, others = await town.file(wu), await town.file(wu), await town.file(zheng)

    def fails(case: Case, *args: Any) -> None:
        if case.id == bad["id"]:
            raise ZeroDivisionError
        forget(case, *args)

    await town.container.vault.keep({"person_wu": None, "person_zheng": None}, sweeps(at))
    monkeypatch.setattr(model, "forget", fails)
    with capture_logs() as logged:
        assert await sweep(forget_person, town.container) == 2
    assert [(await town.case(case["id"])).forgotten for case in (bad, good, others)] == [None, "erased", "erased"]
    errors = [entry for entry in logged if entry["log_level"] == "error"]
    assert [entry.get("case") or entry["person"] for entry in errors] == [bad["id"], "person_wu"]
    monkeypatch.setattr(model, "forget", forget)
    later = replace(town.container, clock=lambda: at + timedelta(minutes=5))
    assert await sweep(forget_person, later) == 2
    assert (await town.case(bad["id"])).forgotten == "erased"


async def test_nothing_is_filed_for_the_erased_nor_for_callers_of_whom_nothing_is_known(town: Town) -> None:
    unknown = await town.post(OPERATOR, "/v1/requests", filing(on_behalf_of="person_nobody"))
    assert (unknown.status_code, unknown.json()["code"]) == (503, "caller-unknown")
    sun = await somebody(town, "sun")
    await town.container.vault.keep({"person_sun": None})
    for actor, more in ((OPERATOR, {"on_behalf_of": "person_sun"}), (sun, {})):
        answer = await town.post(actor, "/v1/requests", filing(**more))
        assert (answer.status_code, answer.json()["code"]) == (409, "erased")


async def test_who_is_signed_in_does_not_wait_for_a_key_that_is_late(town: Town) -> None:
    late = Actor("account_late", frozenset({"resident"}), person="person_late")
    start = asyncio.get_running_loop().time()
    assert (await town.post(late, "/v1/requests", filing())).status_code == 201
    assert asyncio.get_running_loop().time() - start < 0.9  # one that waits does so for a second
