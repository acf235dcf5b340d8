"""Once: however often an event comes, each person hears of it once, in the inbox too."""

import asyncio
from typing import Any

import pytest

from services.chassis.domain.values import now
from services.contracts.requests.cases import CaseAccepted, CaseUrged
from services.notify.inboxes.model import COLLECTION
from tests.notify.conftest import HANDLER, LEADER, RESIDENT, Town, dispatched, eventually, limits

CASE = "case_lamp"


async def again(town: Town) -> None:
    """Another group reads everything from the start, as after a reset of the offsets."""
    async with town.listening(group="again") as reader:

        async def caught_up() -> bool:
            found = reader.lags()
            return len(found) == 24 and not any(found.values())

        await eventually(caught_up)


async def state_of(town: Town, person: str) -> tuple[list[str], int, int]:
    inbox = await town.container.mongo.find_one(COLLECTION, {"_id": person})
    assert inbox is not None
    return await town.templates(person), inbox["sequence"], inbox["unread"]


async def test_an_event_that_comes_twice_in_a_row_gives_one_notice(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    record = town.record(CASE, CaseAccepted())
    await town.publish([record, record])
    await town.tell(CASE, CaseUrged(times=1, urged_at=now()))
    assert await state_of(town, RESIDENT) == (["case-accepted", "case-filed"], 2, 2)


async def test_a_topic_that_is_read_again_from_the_start_changes_nothing(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    before = [await state_of(town, person) for person in (RESIDENT, HANDLER)]
    await again(town)
    assert [await state_of(town, person) for person in (RESIDENT, HANDLER)] == before


async def test_also_where_the_memory_of_it_was_lost_before_the_commit(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    before = [await state_of(town, person) for person in (RESIDENT, HANDLER)]
    await forget(town, "seen")
    await again(town)
    assert [await state_of(town, person) for person in (RESIDENT, HANDLER)] == before


async def test_also_where_so_much_came_since_that_the_inbox_has_forgotten_it(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    before = [await state_of(town, person) for person in (RESIDENT, HANDLER)]
    await forget(town, "seen")
    for person in (RESIDENT, HANDLER):
        await town.container.mongo.update(COLLECTION, {"_id": person}, {"$set": {"lines": []}})
    await again(town)
    assert [await state_of(town, person) for person in (RESIDENT, HANDLER)] == before


async def test_a_crash_between_inbox_and_message_is_made_good_without_a_second_line(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    before = [await state_of(town, person) for person in (RESIDENT, HANDLER)]
    await forget(town, "seen")
    await forget(town, "messages")
    await again(town)
    assert [await state_of(town, person) for person in (RESIDENT, HANDLER)] == before


async def test_a_batch_of_many_cases_gives_all_notices(town: Town) -> None:
    await town.peopled()
    cases = [f"case_{number}" for number in range(60)]
    await town.keyed(*cases)
    each = {case: (town.filing(case, case), limits(now()), dispatched()) for case in cases}
    records = [town.record(case, event) for case, events in each.items() for event in events]
    await town.publish(records)
    await asyncio.gather(*(town.taken(case, dispatched()) for case in cases))
    assert await state_of(town, RESIDENT) == (["case-filed"] * 60, 60, 60)
    assert await state_of(town, HANDLER) == (["case-assigned"] * 60, 60, 60)


async def test_the_lines_of_all_inboxes_are_written_before_all_messages(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.peopled()
    written: list[str] = []
    bulk = town.container.mongo.bulk

    async def noted(name: str, writes: Any) -> int:
        written.append(name)
        return await bulk(name, writes)

    monkeypatch.setattr(town.container.mongo, "bulk", noted)
    await town.filed(CASE)
    assert [name for name in written if name in (COLLECTION, "messages")] == [COLLECTION, "messages"]
    assert await town.templates(HANDLER) == await town.templates(LEADER) == ["case-assigned"]


async def forget(town: Town, name: str) -> None:
    while await town.container.mongo.delete(name, {}):
        continue
