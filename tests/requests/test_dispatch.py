"""Dispatch: the right tier gets a case, by rule or by hand, and no team gets more than it can take."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.events import Event
from services.chassis.domain.scope import Actor
from services.chassis.domain.values import now
from services.chassis.domain.words import Words
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka import Incoming, Outgoing, Publisher
from services.chassis.messaging.reactions import AnyReaction
from services.contracts.members.accounts import AccountClosed
from services.contracts.members.teams import TeamFounded, TeamWentOffDuty, TeamWentOnDuty
from services.contracts.requests.cases import CaseDispatched
from services.contracts.requests.catalogue import Tier
from services.contracts.requests.dispatch import SlotReserved
from services.requests.app import service
from services.requests.cases.dispatch import model as dispatch
from services.requests.cases.dispatch.commands import book
from services.requests.cases.dispatch.model import CaseAt, Nearby, TeamLoad
from services.requests.cases.dispatch.reactions import ask_dispatcher, keep_team_slots
from services.requests.providers.model import Team
from tests.requests.test_life_of_a_case import MONDAY, NEAR, OFFICES, filed
from tests.requests.test_neighbours_in_danger import a_joke_in_words_of_danger, report
from tests.requests.town import (
    BARE,
    CENTRE,
    COUNTY_OFFICE,
    DISPATCHER,
    ELSEWHERE,
    GUARDS,
    HOME,
    LEADER,
    NEIGHBOUR,
    PATROL,
    RESIDENT,
    SUPERVISOR,
    Town,
)
from tests.requests.working import handlers, load_of, until, working
from tests.support import copy_reads

TIERS = ["station", "team", "centre", "county"]


def team(id: str, *, area: str = HOME, sort: str = "public_safety", capacity: int = 1) -> Team:
    made = Team.blank(id)
    made.apply(TeamFounded(kind=sort, name=Words.named(id), area=area, skills=["patrol"], capacity=capacity))
    made.apply(TeamWentOnDuty())
    return made


@given(tiers=st.permutations(TIERS), missing=st.sets(st.sampled_from(TIERS)), full=st.booleans())
def test_the_first_tier_of_the_item_that_has_somebody_gets_the_case(
    tiers: list[str], missing: set[str], *, full: bool
) -> None:
    sorts = {"station": "station", "centre": "centre", "department": "county"}
    offices = [o for o in OFFICES if sorts.get(o.kind, "supervision") not in missing]
    teams = [] if "team" in missing else [team(PATROL)]
    near = Nearby(offices, teams, {PATROL: 1} if full else {})
    chosen = dispatch.choose(filed(MONDAY, tiers=tiers, skill="patrol"), near)
    able = [tier for tier in tiers if tier not in missing and not (tier == "team" and full)]
    assert (chosen.tier if chosen else None) == (able[0] if able else None)


@given(passed=st.sets(st.sampled_from([office.id for office in OFFICES])))
def test_nobody_who_is_passed_over_is_chosen(passed: set[str]) -> None:
    chosen = dispatch.choose(filed(MONDAY), NEAR, passed)
    assert chosen is None or chosen.id not in passed


def test_a_team_needs_kind_skill_duty_and_room() -> None:
    case = filed(MONDAY, tiers=["team"], skill="patrol", team_kind="public_safety")
    off = team("team_off")
    off.apply(TeamWentOffDuty())
    others = [team("team_elders", sort="elderly"), off, team("team_full"), team(PATROL)]
    chosen = dispatch.choose(case, Nearby(teams=others, taken={"team_full": 1}))
    assert chosen is not None
    assert chosen.id == PATROL


async def test_the_team_of_the_community_comes_before_another_of_the_sub_district(town: Town) -> None:
    await town.team("team_a", area=BARE)
    await town.team("team_b", area=HOME)
    await town.team("team_c", area=ELSEWHERE)
    assert (await town.file(item="WATCH"))["handler"]["id"] == "team_b"
    assert (await town.file(item="WATCH", area=BARE))["handler"]["id"] == "team_a"


async def test_without_a_team_the_next_tier_gets_it(town: Town) -> None:
    assert (await town.file(item="WATCH"))["handler"]["id"] == CENTRE


async def test_a_dispatcher_gives_a_case_to_a_team_and_its_leader_takes_it_on(town: Town) -> None:
    await town.team(PATROL)
    filed = await town.file()
    given_ = await town.step(DISPATCHER, filed, "team", {"team_id": PATROL})
    assert (given_["handler"]["id"], given_["handler"]["tier"]) == (PATROL, "team")
    early = await town.post(LEADER, f"/v1/requests/{filed['id']}/accept")
    assert (early.status_code, early.json()["code"]) == (503, "team-not-certain")
    await book(town.container.system_context("test", "book"), filed["id"], PATROL)
    assert (await town.step(LEADER, filed, "accept"))["state"] == "accepted"
    again = await town.step(DISPATCHER, filed, "team", {"team_id": PATROL})
    assert again["state"] == "accepted", "to give it to whoever has it changes nothing"


@pytest.mark.parametrize(
    ("step", "body", "status", "code"),
    [
        ("team", {"team_id": "team_nobody"}, 422, "handler-unknown"),
        ("team", {"team_id": "team_far"}, 422, "handler-elsewhere"),
        ("team", {"team_id": "team_off"}, 409, "team-unfit"),
        ("team", {"team_id": "team_full"}, 409, "team-full"),
        ("handler", {"organisation_id": "organisation_nobody"}, 422, "handler-unknown"),
        ("handler", {"organisation_id": "organisation_far"}, 422, "handler-elsewhere"),
        ("handler", {"organisation_id": {"$ne": None}}, 422, "invalid"),
        ("team", {"team_id": PATROL, "force": True}, 422, "invalid"),
    ],
)
async def test_a_wrong_hand_is_refused(town: Town, step: str, body: Any, status: int, code: str) -> None:
    await town.team("team_far", area=ELSEWHERE)
    await town.team("team_full", capacity=0)
    founded = TeamFounded(kind="elderly", name=Words.named("队"), area=HOME, skills=[], capacity=1)
    await town.keep_copy(Team, "team_off", founded)
    far = OFFICES[-1].creates[0].model_validate({"kind": "station", "name": {"zh": "远"}, "area": ELSEWHERE})
    await town.keep_copy(type(OFFICES[-1]), "organisation_far", far)
    filed = await town.file()
    refused = await town.put(DISPATCHER, f"/v1/requests/{filed['id']}/{step}", body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert len(await town.events(filed["id"])) == 3


async def test_a_supervisor_may_take_a_case_over(town: Town) -> None:
    filed = await town.file()
    taken = await town.step(SUPERVISOR, filed, "handler", {"organisation_id": COUNTY_OFFICE})
    assert taken["handler"] == {"id": COUNTY_OFFICE, "tier": "supervision", "name": taken["handler"]["name"]}


@given(moves=st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=40), capacity=st.integers(0, 3))
def test_slots_are_never_more_than_the_capacity(moves: list[tuple[bool, int]], capacity: int) -> None:
    load = TeamLoad.blank("load_1")
    for version, (takes, number) in enumerate(moves):
        case = CaseAt(f"case_{number}", version)
        if takes:
            dispatch.reserve(load, PATROL, case, capacity)
        else:
            dispatch.free(load, case)
        assert len(load.cases) == len(set(load.cases)) <= capacity
    result = Counter(type(event) for event in load.fresh)
    assert result[SlotReserved] >= len(load.cases)


async def test_events_that_come_again_do_not_free_a_slot_that_was_reserved_later(town: Town) -> None:
    for id in (PATROL, GUARDS):
        await town.team(id, capacity=3)
    given = [CaseDispatched(tier=Tier.TEAM, handler_id=id, handler_name=Words.named(id)) for id in (PATROL, GUARDS)]
    for _ in range(2):  # the process died before it remembered them
        for version, event in enumerate(given, start=3):
            await _dispatched(town, version, event)
        assert (await load_of(town, PATROL), await load_of(town, GUARDS)) == ([], ["case_one"])


async def _dispatched(town: Town, version: int, event: CaseDispatched) -> None:
    """The reaction to an event of a case."""
    await _handled(town, keep_team_slots, "case_one", version, event)


async def _handled(town: Town, reaction: AnyReaction, entity: str, version: int, event: Event) -> None:
    """Let a reaction handle an event, and forget that it did."""
    topic = f"linli.{event.type_name().split('.')[1]}.v1"
    record = Incoming(topic, 0, version, entity, event.model_dump_json().encode(), _headers(entity, version, event))
    handled = await reaction.batch(town.container, [delivered := Delivered.of(record)])
    await handled(delivered)


def _headers(entity: str, version: int, event: Event) -> dict[str, str]:
    said = {"ce_id": f"{entity}:{version}", "ce_type": event.type_name(), "ce_schema": "1", "ce_actor": "account_x"}
    return {**said, "ce_time": now().isoformat()}


async def test_teams_never_have_more_than_their_capacity_when_many_file_at_once(town: Town) -> None:
    await town.team(PATROL, capacity=3)
    await town.team(GUARDS, area=BARE, capacity=2)

    async def filed_by(actor: Actor) -> None:
        for _ in range(6):
            await town.file(actor, item="WATCH")
            assert len(await load_of(town, PATROL)) <= 3
            assert len(await load_of(town, GUARDS)) <= 2

    async def spread() -> bool:
        cases = await handlers(town)
        counts = {id: len(had) for id, had in cases.items()}
        slots = {team: sorted(await load_of(town, team)) for team in (PATROL, GUARDS)}
        return counts == {PATROL: 3, GUARDS: 2, CENTRE: 19} and all(slots[t] == sorted(cases[t]) for t in slots)

    async with working(town):
        await asyncio.gather(*(filed_by(actor) for actor in (RESIDENT, NEIGHBOUR, RESIDENT, NEIGHBOUR)))
        await until(spread)
        await until(lambda: _all_announced(town))
        assert await _false_calls(town) == []
        one = (await handlers(town))[PATROL][0]
        await town.step(LEADER, {"id": one}, "return", {"reason": "人手不够"})
        await until(lambda: _freed(town, one))
        assert (await town.file(item="WATCH"))["handler"]["id"] == PATROL
        await until(lambda: _all_announced(town))


async def test_each_reaction_reads_just_the_copies_that_it_declares(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.team(PATROL)
    for _ in range(2):  # of which the team has room for one
        await town.file(item="WATCH")

    reads = copy_reads.noted(monkeypatch)
    async with working(town):
        await until(lambda: _all_announced(town))
        await town.step(LEADER, {"id": (await handlers(town))[PATROL][0]}, "accept")
        await a_joke_in_words_of_danger(town)
        await report(town, 11, "HARM")
        await _published(town, PATROL, TeamWentOffDuty())
        await _published(town, "account_x", AccountClosed(person_id="person_x", tokens_until=now()))
        await until(lambda: copy_reads.all_had_effects(service, town.container))
    declared = copy_reads.declared(service)
    # These read them only where the first case ended while another was linked to it, and then call at once.
    may = {name: declared[name] for name in ("link-reported", "settle-linked", "accept-linked")}
    assert {**copy_reads.of(service, reads), **may} == declared


async def _all_announced(town: Town) -> bool:
    unannounced = {"state.announced": False, "state.handler_id": {"$ne": None}}
    return await town.container.mongo.find_one("cases", unannounced) is None


async def _false_calls(town: Town) -> list[str]:
    """The cases of which a team was told that does not have them, or that has them and was not told once."""
    calls = {}
    for handler, cases in (await handlers(town)).items():
        for case in cases:
            calls[case] = (handler in (PATROL, GUARDS), (await town.events(case)).count("CaseBooked"))
    return [case for case, (has, calls_made) in calls.items() if calls_made != int(has)]


async def test_of_what_a_team_off_duty_has_the_dispatchers_are_asked_once(town: Town) -> None:
    await town.team(PATROL, capacity=2)
    has, other = await town.file(item="WATCH"), await town.file()
    async with working(town):
        await until(lambda: _all_announced(town))
    for _ in range(2):  # the process died before it remembered it
        await _handled(town, ask_dispatcher, PATROL, 9, TeamWentOffDuty())
    assert (await town.events(has["id"])).count("CaseTeamAway") == 1
    assert "CaseTeamAway" not in await town.events(other["id"])


async def _published(town: Town, entity: str, event: Event) -> None:
    """Members tells what happened to a thing of its own."""
    settings = town.world.settings()
    publisher = Publisher(settings.kafka)
    data = event.model_dump_json().encode()
    record = Outgoing(settings.topic("members"), entity, data, _headers(entity, 9, event))
    assert await publisher.send([record]) == [None]
    await publisher.stop()


async def _freed(town: Town, case_id: str) -> bool:
    return case_id not in await load_of(town, PATROL)


async def test_a_team_that_went_off_duty_before_its_slot_was_kept_gets_none(town: Town) -> None:
    await town.team(PATROL)
    filed = await town.file(item="WATCH")
    await town.keep_copy(Team, PATROL, *_on_and_off())
    async with working(town):
        await until(lambda: _all_announced(town))
    after = (await town.get(RESIDENT, f"/v1/requests/{filed['id']}")).json()
    assert (filed["handler"]["id"], after["handler"]["id"]) == (PATROL, CENTRE)
    assert "CaseBooked" not in await town.events(filed["id"])


async def test_a_copy_follows_what_members_tells(town: Town) -> None:
    await town.team(PATROL)
    first = await town.file(item="WATCH")
    await town.keep_copy(Team, PATROL, *_on_and_off())
    second = await town.file(item="WATCH")
    assert (first["handler"]["id"], second["handler"]["id"]) == (PATROL, CENTRE)


def _on_and_off() -> list[Any]:
    founded = TeamFounded(kind="public_safety", name=Words.named("队"), area=HOME, skills=["patrol"], capacity=1)
    return [founded, TeamWentOnDuty(), TeamWentOffDuty()]
