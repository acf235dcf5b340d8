"""The same danger reported by ten neighbours in a minute: one call, and ten cases that are accepted with it."""

import asyncio
from datetime import timedelta

from services.chassis.domain.scope import Actor
from services.chassis.domain.values import now
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka import Incoming
from services.chassis.usecase import Context
from services.contracts.members.people import PersonRegistered
from services.contracts.members.rosters import RosterStarted, Shift, ShiftsAdded, roster_id
from services.contracts.requests.cases import CaseCancelled
from services.requests.cases.alarms.commands import call, link, report_incident, settle_linked
from services.requests.cases.alarms.queries import linked_to
from services.requests.cases.alarms.reactions import call_for_linked
from services.requests.catalogue.commands import PublishItem, publish_item
from services.requests.residents.model import Person
from services.requests.rosters.model import Roster
from tests.requests.town import ADMINISTRATOR, CENTRE, DISPATCHER, OPERATOR, STREET, Town, field, item, resident
from tests.requests.working import until, working

ON_CALL = Actor("account_night", frozenset({"dispatcher"}), (STREET,), (), "person_night")
CLOSED = {"reason": "no_action", "answer": "玩笑"}
"""A joke in words of danger: the dispatcher ends it."""


async def settle(town: Town) -> None:
    """An item of danger, and somebody on call in the sub-district."""
    asked = field("danger", "single", "no", "yes")
    for code, shared in (("GAS", True), ("HARM", False)):
        danger = {"accept_within_minutes": 10, "danger_answers": ["yes"], "shared_danger": shared, "form": [asked]}
        published = PublishItem.model_validate(item(code, "station", **danger))
        await publish_item(town.context(ADMINISTRATOR), code, published)
    started = RosterStarted(area=STREET, system="health", started_at=now())
    hour = timedelta(hours=1)
    people = ("person_night", "person_backup")
    shifts = [
        Shift(
            id=f"shift_{person}",
            account_id="account_night",
            person_id=person,
            start=now() - hour,
            end=now() + hour,
            backup=person == "person_backup",
        )
        for person in people
    ]
    await town.keep_copy(Roster, roster_id(STREET, "health"), started, ShiftsAdded(shifts=shifts, added_at=now()))
    for person in people:
        await town.container.vault.mint(person, now())
        sealed = town.container.vault.seal("+8613800000001", person, "phone")
        await town.keep_copy(Person, person, PersonRegistered(phone=sealed, area=STREET))


def system(town: Town, cause: str) -> Context:
    """What a reaction does things with."""
    return town.container.system_context("test", f"test:{cause}")


async def report(town: Town, number: int, code: str = "GAS") -> str:
    """One neighbour smells gas."""
    neighbour = resident(number)
    await town.container.vault.mint(str(neighbour.person), now())
    case = await town.file(neighbour, item=code, answers={"danger": "yes"})
    return str(case["id"])


async def called(town: Town, ids: list[str]) -> list[str]:
    """Those of these cases about which somebody was called."""
    return [id for id in ids if (await town.case(id)).calls > 0]


async def linked(town: Town, ids: list[str]) -> dict[str, str]:
    """The first case of each that is linked to one."""
    cases = [await town.case(id) for id in ids]
    return {case.id: case.linked_to for case in cases if case.linked_to is not None}


async def ten_neighbours(town: Town) -> tuple[str, list[str]]:
    """All at once; the first, about which somebody is called, and the others."""
    ids = await asyncio.gather(*(report(town, number) for number in range(10)))

    async def settled() -> bool:
        looked_again = await town.container.mongo.count("seen", {"_id": {"$regex": "^settle-linked\\|"}}, limit=20)
        return len(await called(town, ids)) == 1 and len(await linked(town, ids)) == looked_again == 9

    await until(settled)
    [first] = await called(town, ids)
    assert set((await linked(town, ids)).values()) == {first}
    assert (await town.events(first)).count("CaseCalled") == 1
    return first, [id for id in ids if id != first]


async def test_ten_neighbours_are_one_call_and_all_hear_that_somebody_accepted_it(town: Town) -> None:
    await settle(town)
    async with working(town):
        first, others = await ten_neighbours(town)
        case = (await town.get(ON_CALL, f"/v1/requests/{first}")).json()
        assert "accept" in [step["step"] for step in case["steps"]]
        assert case["inside"]["called"] == ["person_night"]
        assert (await town.get(ON_CALL, f"/v1/requests/{others[0]}")).json()["inside"]["linked_to"] == first
        taken = await town.step(ON_CALL, case, "accept")
        assert (taken["state"], taken["handler"]["id"]) == ("accepted", CENTRE)

        async def all_accepted() -> bool:
            return all([(await town.case(id)).handler_id == CENTRE for id in others])

        await until(all_accepted)
        assert {(await town.case(id)).state for id in others} == {"accepted"}
        late = await report(town, 10)

        async def late_accepted() -> bool:
            return (await town.case(late)).state == "accepted"

        await until(late_accepted)
        assert await called(town, [late]) == []


async def a_joke_in_words_of_danger(town: Town) -> None:
    """The first is rejected: the next is called about, the others wait for that, and it is accepted."""
    await settle(town)
    first, others = await ten_neighbours(town)
    rejected = await town.post(DISPATCHER, f"/v1/requests/{first}/reject", CLOSED)
    assert rejected.status_code == 200, rejected.text

    async def next_called() -> bool:
        known = await linked(town, others)
        return len(known) == 8 and [*{*known.values()}] == await called(town, others)

    await until(next_called)
    [second] = await called(town, others)
    await town.step(ON_CALL, {"id": second}, "accept")


async def test_where_the_first_was_a_joke_the_next_is_called_about_and_the_others_wait_for_that(town: Town) -> None:
    async with working(town):
        await a_joke_in_words_of_danger(town)


async def test_nobody_waits_for_a_case_that_has_ended_meanwhile_it_is_called_about_itself(town: Town) -> None:
    await settle(town)
    first, second, third = [await report(town, number) for number in range(3)]
    await link(system(town, "link"), third, first)
    assert await linked(town, [third]) == {third: first}
    await town.step(resident(0), {"id": first}, "cancel", {})
    await link(system(town, "link"), second, first)
    await settle_linked(system(town, "settle"), third, first)
    assert await linked(town, [second, third]) == {}
    assert await called(town, [first, second, third]) == [second, third]


async def test_a_case_that_is_linked_after_the_first_was_accepted_is_accepted_with_it(town: Town) -> None:
    await settle(town)
    first, second = [await report(town, number) for number in range(2)]
    await link(system(town, "link"), second, first)
    await call(system(town, "call"), first)
    await town.step(ON_CALL, {"id": first}, "accept")
    await settle_linked(system(town, "settle"), second, first)
    assert ((await town.case(second)).state, await called(town, [second])) == ("accepted", [])


async def test_a_worker_that_dies_while_it_calls_for_the_linked_goes_on_with_the_same_case(town: Town) -> None:
    await settle(town)
    first, *others = [await report(town, number) for number in range(5)]
    await report_incident(system(town, "first"), first, await town.case(first))
    for other in others:
        await link(system(town, "link"), other, first)
    await town.step(resident(0), {"id": first}, "cancel", {})
    ctx, order = system(town, "ended"), [case.id for case in await linked_to(system(town, "read"), first)]
    assert order == others, "as they were filed"
    incident = await report_incident(ctx, others[0], await town.case(others[0]))
    await call(ctx, incident.case_id)  # and here it dies
    ended = CaseCancelled(ended_at=now(), in_danger=True)
    record = Incoming("requests", 0, 0, first, b"{}", {})
    at, data = now(), ended.model_dump(mode="json")
    again = Delivered(f"{first}:9", ended.type_name(), 1, first, 9, at, "account_wang", None, data, record)
    await call_for_linked.handle(ctx, again, ended)
    assert await called(town, others) == [others[0]]
    assert await linked(town, others) == dict.fromkeys(others[1:], others[0])
    late = await report(town, 6)
    await report_incident(system(town, "late"), late, await town.case(late))
    await link(system(town, "late"), late, others[0])
    assert await linked(town, [late]) == {late: others[0]}, "the incident names the next first"


async def test_the_danger_of_one_person_is_never_that_of_a_neighbour_each_is_called_about(town: Town) -> None:
    await settle(town)
    async with working(town):
        ids = [await report(town, number, "HARM") for number in range(2)]

        async def both_called() -> bool:
            return await called(town, ids) == ids

        await until(both_called)
        assert await linked(town, ids) == {}


async def test_without_danger_nobody_is_called(town: Town) -> None:
    await settle(town)
    calm = await town.file(resident(1), item="GAS", answers={"danger": "no"})
    case = await town.case(calm["id"])
    assert (case.call_at, case.calls, calm["accept_within_minutes"]) == (None, 0, None)


async def test_who_was_not_called_does_not_accept_a_case_of_others(town: Town) -> None:
    await settle(town)
    async with working(town):
        case = {"id": await report(town, 1)}

        async def is_called() -> bool:
            return bool(await called(town, [case["id"]]))

        await until(is_called)
        for actor, code in ((DISPATCHER, "not-your-step"), (OPERATOR, "forbidden")):
            refused = await town.post(actor, f"/v1/requests/{case['id']}/accept")
            assert (refused.status_code, refused.json()["code"]) == (403, code)
        timeline = (await town.get(DISPATCHER, f"/v1/requests/{case['id']}/timeline")).json()["items"]
        assert "CaseCalled" in [one["what"] for one in timeline]
