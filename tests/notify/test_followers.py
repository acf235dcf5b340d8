"""Who follows a case hears of its states by the name of the item alone, and of nothing else."""

from typing import Any

import pytest

from services.chassis.domain.events import Event
from services.chassis.domain.values import now
from services.contracts.requests import cases
from services.contracts.requests.followers import CaseFollowed, CaseUnfollowed
from services.notify.audience.queries import Address
from services.notify.cases.reactions import subject
from tests.notify.conftest import HANDLER, RESIDENT, Town, dispatched
from tests.notify.hearing import AT, PAUSED, RESOLVED, RESUMED, RULES, SEALED, TO_STATION, occurrence

CASE, FOLLOWER, FORMER = "case_lamp", "person_f1", "person_f2"
FOLLOWED = CaseFollowed(person_id=FOLLOWER)
STATES = {
    "followed-accepted": cases.CaseAccepted(),
    "followed-paused": PAUSED,
    "followed-resumed": RESUMED,
    "followed-resolved": RESOLVED,
    "followed-reopened": cases.CaseReopened(reason=SEALED, times=1, reopened_at=AT),
    "followed-cancelled": cases.CaseCancelled(by_resident=True, ended_at=AT),
    "followed-rejected": cases.CaseRejected(reason="not_our_duty", answer=SEALED, ended_at=AT),
}
OTHERS = {*(one.event for one in subject.rules), *(one.event for one in subject.silences)} - {
    type(event) for event in STATES.values()
}


def heard(event: Event, *before: Event) -> list[tuple[str, list[list[Address]]]]:
    """What followers hear of an event."""
    what: Any = occurrence(event, TO_STATION, *before)
    rules = [one for one in RULES if one.event is type(event) and one.to.party == "followers" and one.when(what)]
    return [(rule.template, [[*one] for one in rule.to.choices(what)]) for rule in rules]


@pytest.mark.parametrize("template", STATES)
def test_of_each_state_that_matters_followers_hear_in_words_of_its_own(template: str) -> None:
    assert heard(STATES[template], FOLLOWED) == [(template, [[Address("person", FOLLOWER)]])]
    assert heard(STATES[template], FOLLOWED, CaseUnfollowed(person_id=FOLLOWER)) == [(template, [])]


def test_of_anything_else_they_hear_nothing() -> None:
    assert len(OTHERS) > 10
    assert {rule.template for rule in RULES if rule.event in OTHERS and rule.to.party == "followers"} == set()


async def test_a_follower_reads_the_item_and_the_state_and_neither_number_nor_name_nor_answer(town: Town) -> None:
    await town.peopled()
    await town.born(FOLLOWER, FORMER)
    joined = [CaseFollowed(person_id=person) for person in (FOLLOWER, FORMER)]
    await town.filed(CASE, dispatched(), *joined, CaseUnfollowed(person_id=FORMER))
    answer = town.seal("已换灯泡", CASE, "answer")
    resolved = cases.CaseResolved(outcome="fixed", answer=answer, resolved_at=now(), resolution_seconds=1)
    await town.tell(CASE, cases.CaseAccepted(), resolved)
    assert await town.templates(FOLLOWER) == ["followed-accepted", "followed-resolved"]
    assert await town.templates(FORMER) == []
    assert not {"followed-accepted", "followed-resolved"} & {
        *await town.templates(RESIDENT),
        *await town.templates(HANDLER),
    }
    for message in await town.messages(FOLLOWER):
        body = town.body(message)
        assert "路灯报修" in body
        for hidden in ("261123-7K3F", "已换灯泡", "胜利社区服务站"):
            assert hidden not in body
