"""A web process that holds items, areas and organisations obeys what changes, whoever changed it, and asks no more."""

from collections.abc import AsyncIterator

import pytest

from services.chassis.domain.refusals import Refusal
from services.chassis.domain.words import Words
from services.contracts.members.areas import AreaAdded, AreaClosed
from services.contracts.members.organisations import OrganisationFounded
from services.requests.cases.intake.commands import FileRequest, file
from services.requests.cases.model import Case
from services.requests.providers.model import AreaCopy, Organisation
from tests.requests.town import ADMINISTRATOR, BARE, HOME, ITEMS, RESIDENT, Town, filing
from tests.support.calls import CALLS
from tests.support.road import until

CODE = ITEMS[0]["code"]
PATH = f"/v1/catalogue/{CODE}"


@pytest.fixture
async def holding(town: Town) -> AsyncIterator[Town]:
    """A town whose container holds reference data, beside a web process that does not."""
    async with town.container.reference.held(town.container.changes):
        await filed(town)

        async def listening() -> bool:
            return bool(town.container.changes._heard)

        await until(listening)
        yield town


async def filed(town: Town, **more: str) -> Case:
    """A request that a resident files by the process that holds what it read."""
    return await file(town.context(RESIDENT), FileRequest(**filing(**{"item": CODE, **more})))


async def refused(town: Town, **more: str) -> str:
    """The code of the refusal; empty where it was filed."""
    try:
        await filed(town, **more)
    except Refusal as refusal:
        return refusal.code()
    return ""


async def test_filing_again_asks_the_database_for_nothing_but_the_insert(holding: Town) -> None:
    async def only_inserts() -> bool:
        await filed(holding)
        with CALLS.counted() as calls:
            await filed(holding)
        return {name: count for name, count in calls.items() if name != "getMore"} == {"insert": 1}

    await until(only_inserts)


async def test_an_item_that_another_process_withdraws_and_publishes_again_is_obeyed(holding: Town) -> None:
    assert await refused(holding) == ""
    assert (await holding.post(ADMINISTRATOR, f"{PATH}/withdraw")).status_code == 200

    async def unknown() -> bool:
        return await refused(holding) == "item-unknown"

    await until(unknown)
    answer = await holding.put(ADMINISTRATOR, PATH, ITEMS[0])
    assert answer.status_code in (200, 201), answer.text
    assert await refused(holding) == "", "a refusal is confirmed by the database: no wait for the change to be heard of"


async def test_an_area_that_is_closed_is_obeyed(holding: Town) -> None:
    assert await refused(holding, area=BARE) == ""
    added = AreaAdded(level="community", name=Words.named(BARE))
    await holding.keep_copy(AreaCopy, BARE, added, AreaClosed(reason="merged"))

    async def closed() -> bool:
        return await refused(holding, area=BARE) == "area-closed"

    await until(closed)
    assert await refused(holding, area=HOME) == ""


async def test_an_organisation_that_is_founded_gets_its_cases(holding: Town) -> None:
    assert (await filed(holding, area=BARE)).handler_id != "organisation_new"
    founded = OrganisationFounded.model_validate({"kind": "station", "name": {"zh": "新站"}, "area": BARE})
    await holding.keep_copy(Organisation, "organisation_new", founded)

    async def gets_it() -> bool:
        return (await filed(holding, area=BARE)).handler_id == "organisation_new"

    await until(gets_it)
