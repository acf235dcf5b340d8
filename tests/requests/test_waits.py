"""How long a resident waited for acceptance and for the answer: measured where the event is recorded, then observed."""

from typing import cast

import pytest
from prometheus_client import REGISTRY

from services.chassis.domain.values import Sealed, now
from services.chassis.messaging.delivered import Delivered
from services.contracts.requests.cases import CaseAccepted, CaseResolved
from services.requests.cases.model import Case
from services.requests.overview.reactions import measure_cases
from tests.requests.town import DISPATCHER, RESIDENT, STATION_HANDLER, Town


async def test_the_times_to_answer_and_to_resolve_count_once_from_filing_or_reopening(town: Town) -> None:
    filed = await town.file()
    await town.step(STATION_HANDLER, filed, "accept")
    await town.step(STATION_HANDLER, filed, "resolve", {"answer": "好了"})
    await town.step(RESIDENT, filed, "reopen", {"reason": "又坏了"})
    case = await town.case(filed["id"])
    history = await town.container.system_context("test", "read").store.history(type(case), case.id)
    at = {recorded.type.rpartition(".")[2]: recorded.at for recorded in history}
    said = {recorded.type.rpartition(".")[2]: recorded.data for recorded in history}
    assert said["CaseAccepted"]["response_seconds"] == (at["CaseAccepted"] - at["CaseFiled"]).total_seconds()
    assert said["CaseResolved"]["resolution_seconds"] == (at["CaseResolved"] - at["CaseFiled"]).total_seconds()
    assert (case.waits_since, case.was_accepted) == (at["CaseReopened"], False)


async def test_a_second_acceptance_is_no_answer_to_the_resident(town: Town) -> None:
    filed = await town.file()
    await town.step(STATION_HANDLER, filed, "accept")
    await town.step(STATION_HANDLER, filed, "return", {"reason": "不归我们"})
    await town.step(DISPATCHER, filed, "handler", {"organisation_id": "organisation_station"})
    await town.step(STATION_HANDLER, filed, "accept")
    history = await town.container.system_context("test", "read").store.history(Case, filed["id"])
    first, second = (one.data["response_seconds"] for one in history if one.type.endswith(".CaseAccepted"))
    assert first is not None
    assert second is None


@pytest.mark.parametrize(
    ("event", "metric", "seconds"),
    [
        (CaseAccepted(response_seconds=7.0), "linli_case_response_seconds", 7.0),
        (CaseAccepted(), "linli_case_response_seconds", 0.0),
        (
            CaseResolved(outcome="fixed", answer=Sealed("1.x"), resolved_at=now(), resolution_seconds=9.0),
            "linli_case_resolution_seconds",
            9.0,
        ),
    ],
)
async def test_what_an_event_says_of_the_wait_is_observed(
    town: Town, event: CaseAccepted | CaseResolved, metric: str, seconds: float
) -> None:
    before = REGISTRY.get_sample_value(f"{metric}_sum") or 0.0
    await measure_cases.handle(town.container.system_context("test", "read"), cast(Delivered, None), event)
    assert (REGISTRY.get_sample_value(f"{metric}_sum") or 0.0) - before == pytest.approx(seconds)
