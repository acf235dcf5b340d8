"""A resident follows a case: it stands in the timeline, and who has the case hears of it."""

from services.contracts.requests.cases import CaseFollowed
from tests.notify.conftest import HANDLER, founded
from tests.requests.town import NEIGHBOUR, RESIDENT, STATION_HANDLER, Town
from tests.support.world import World


async def test_a_resident_follows_a_case_and_finds_it_in_the_timeline(town: Town) -> None:
    case = await town.file()
    assert "follow" in {step["step"] for step in (await town.step(RESIDENT, case, "follow"))["steps"]}
    (*_, last) = (await town.get(RESIDENT, f"/v1/requests/{case['id']}/timeline")).json()["items"]
    assert (last["what"], last["by"], last["name"]) == ("CaseFollowed", "resident", {"zh": "关注", "en": "followed"})


async def test_nobody_else_follows_a_case(town: Town) -> None:
    case = await town.file()
    refused = [await town.post(who, f"/v1/requests/{case['id']}/follow") for who in (NEIGHBOUR, STATION_HANDLER)]
    assert [one.status_code for one in refused] == [404, 403]


async def test_who_has_a_case_hears_that_it_is_followed(world: World) -> None:
    async with founded(world) as notified, notified.listening():
        await notified.peopled()
        await notified.filed("case_lamp")
        await notified.tell("case_lamp", CaseFollowed(by_resident=True))
        assert await notified.templates(HANDLER) == ["case-assigned", "case-followed"]
