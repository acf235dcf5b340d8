"""The city keeps the words of a case for a term after its end; then they are forgotten by themselves."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.chassis.domain.values import now
from services.chassis.schedule import timers
from services.requests.cases.clocks.model import Retention
from services.requests.cases.forgetting import commands
from services.requests.cases.forgetting.settings import FIVE_YEARS, LEAST, RetentionSettings
from services.requests.cases.forgetting.timers import forget_over
from services.requests.cases.model import Case
from services.requests.cases.states.model import State
from services.requests.overview.queries import counted
from tests.requests.forgetting import LATER, SAID, archive_all, lived, readable
from tests.requests.town import DISPATCHER, RESIDENT, SUPERVISOR, Town

TERM = timedelta(days=FIVE_YEARS)
MOMENT = timedelta(milliseconds=1)


async def sweep(town: Town, at: datetime, retention: Retention | None = None) -> int:
    """Let the timer run as at this instant, with the city's term or another; how many cases it took up."""
    given = town.container.dependencies
    dependencies = {**given, Retention: retention or given[Retention]}
    container = replace(town.container, clock=lambda: at, dependencies=dependencies)
    return (await timers.sweep(forget_over, container)).count


async def ended(town: Town, case: dict[str, Any]) -> datetime:
    """When a case ended, from which its term counts."""
    at = (await town.case(case["id"])).retained_since
    assert at is not None
    return at


async def test_the_words_of_a_case_are_forgotten_when_its_term_is_over_and_its_facts_stay(town: Town) -> None:
    case = await lived(town)
    await archive_all(town, case["id"])
    end = await ended(town, case) + TERM
    assert await sweep(town, end - MOMENT) == 0
    figures, before = await counted(town.container.mongo, State), await readable(town)
    assert [word for word in (*SAID, *LATER) if word not in before] == []
    assert await sweep(town, end) == 1
    after = await readable(town)
    assert [word for word in (*SAID, *LATER) if word in after] == []
    assert await counted(town.container.mongo, State) == figures
    seen = (await town.get(RESIDENT, f"/v1/requests/{case['id']}")).json()
    kept = ("number", "item", "area", "state", "closed_because", "filed_at", "due_at", "resolved_at", "score")
    assert {name: seen[name] for name in kept} == {name: case[name] for name in kept}
    assert await sweep(town, end + TERM) == 0


async def test_its_timeline_says_that_it_went_by_itself(town: Town) -> None:
    case = await lived(town)
    await sweep(town, await ended(town, case) + TERM)
    entries = (await town.get(SUPERVISOR, f"/v1/requests/{case['id']}/timeline")).json()["items"]
    last = entries[-1]
    assert (last["what"], last["by"], last["facts"]) == ("CaseForgotten", "system", {"because": "term"})


async def test_the_term_counts_from_each_way_to_end_and_an_open_case_has_none(town: Town) -> None:
    closed, withdrawn, rejected, still_open = await lived(town), await town.file(), await town.file(), await town.file()
    await town.step(RESIDENT, withdrawn, "cancel", {"reason": "canary"})
    await town.step(SUPERVISOR, rejected, "reject", {"answer": "not ours"})
    last = max([await ended(town, case) for case in (closed, withdrawn, rejected)])
    assert await sweep(town, last + TERM) == 3
    whole = [await town.case(case["id"]) for case in (closed, withdrawn, rejected, still_open)]
    assert [case.forgotten for case in whole] == ["term", "term", "term", None]


async def test_a_case_that_is_reopened_is_kept_until_the_term_after_its_next_end(town: Town) -> None:
    case = await lived(town)
    first = await ended(town, case)
    await town.step(RESIDENT, case, "reopen", {"reason": "still dark"})
    assert await sweep(town, first + 2 * TERM) == 0
    later = town.container.system_context("test", "as if it had been due before it was reopened")
    await commands.forget_over(
        replace(later, container=replace(town.container, clock=lambda: first + TERM)), case["id"]
    )
    assert (await town.case(case["id"])).forgotten is None
    await town.step(RESIDENT, case, "cancel", {})
    second = await ended(town, case)
    assert second > first
    assert [await sweep(town, second + TERM - MOMENT), await sweep(town, second + TERM)] == [0, 1]


async def test_a_changed_term_holds_for_cases_that_ended_before(town: Town) -> None:
    case = await lived(town)
    end = await ended(town, case)
    assert await sweep(town, end + TERM, Retention.of_days(2 * FIVE_YEARS)) == 0
    assert await sweep(town, end + timedelta(days=90), Retention.of_days(90)) == 1
    assert (await town.case(case["id"])).forgotten == "term"


async def test_without_a_term_the_words_are_kept_for_good(town: Town) -> None:
    await lived(town)
    assert await sweep(town, now() + 20 * TERM, Retention.of_days(0)) == 0


async def test_who_sees_a_case_sees_until_when_its_words_are_kept(town: Town) -> None:
    case = await lived(town)
    until = (await ended(town, case) + TERM).isoformat().replace("+00:00", "Z")
    for actor in (RESIDENT, DISPATCHER):
        assert (await town.get(actor, f"/v1/requests/{case['id']}")).json()["words_until"] == until
    await sweep(town, now() + TERM)
    assert (await town.get(RESIDENT, f"/v1/requests/{case['id']}")).json()["words_until"] is None
    assert (await town.file())["words_until"] is None


async def test_cases_whose_term_is_over_are_found_along_an_index_oldest_first(town: Town) -> None:
    field = Case.stored_name("retained_since")
    where = {field: {"$lte": now(), "$type": "date"}, "_id": {"$nin": []}}
    find = {"find": Case.collection(), "filter": where, "sort": {field: 1}, "limit": 100}
    plan = repr((await town.container.mongo.command("explain", find))["queryPlanner"]["winningPlan"])
    assert f"'{field}_1'" in plan
    assert "'SORT'" not in plan


@pytest.mark.parametrize("days", [1, LEAST - 1, -1])
def test_a_term_in_which_a_case_could_still_be_reopened_is_refused(days: int) -> None:
    with pytest.raises(ValidationError):
        RetentionSettings(case_term_days=days)


@pytest.mark.parametrize(("days", "term"), [(0, None), (LEAST, timedelta(days=LEAST)), (FIVE_YEARS, TERM)])
def test_a_term_is_never_or_long_enough(days: int, term: timedelta | None) -> None:
    assert Retention.of_days(RetentionSettings(case_term_days=days).case_term_days) == Retention(term)


def test_five_years_is_what_a_city_has_that_sets_nothing() -> None:
    assert RetentionSettings().case_term_days == FIVE_YEARS
