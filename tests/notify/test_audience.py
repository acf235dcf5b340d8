"""Teams and leaders: who of them hears of what, and how many at most."""

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.chassis.domain.values import now
from services.chassis.domain.words import Words
from services.contracts.members.accounts import AccountClosed
from services.contracts.members.teams import TeamFounded, TeamMemberJoined, TeamMemberLeft
from services.contracts.requests.cases import CaseCancelled, CasePaused, CaseResumed, CaseUrged, CommentAdded
from services.notify.audience import queries
from services.notify.audience.queries import MOST, Address, Directory, Recipient
from tests.notify.conftest import (
    COMMUNITY,
    COUNTY,
    HANDLER,
    LEADER,
    RESIDENT,
    STATION,
    STREET,
    SUPERVISOR,
    Town,
    dispatched,
    to_team,
)

CASE = "case_lamp"


async def test_who_joins_a_team_is_welcomed(town: Town) -> None:
    await town.born(RESIDENT)
    founded = TeamFounded(kind="women", name=Words.named("巾帼队"), area=STREET, skills=[], capacity=3)
    await town.tell("team_1", founded, TeamMemberJoined(person_id=RESIDENT))
    assert "巾帼队" in await town.said(RESIDENT, "team-joined")


async def test_a_team_that_gets_a_case_is_called_and_hears_when_it_is_withdrawn_but_not_what_is_among_staff(
    town: Town,
) -> None:
    await town.peopled()
    founded = TeamFounded(
        kind="women", name=Words.named("巾帼队"), area=STREET, skills=[], capacity=3, leader_id=LEADER
    )
    joined = [TeamMemberJoined(person_id=person) for person in (LEADER, HANDLER, SUPERVISOR)]
    await town.tell("team_1", founded, *joined, TeamMemberLeft(person_id=SUPERVISOR))
    await town.filed(CASE, *to_team("team_1", "巾帼队"))
    note = CommentAdded(
        text=town.seal("缺配件", CASE, "text"),
        author_id="somebody",
        public=False,
        by_resident=False,
        from_resident=False,
    )
    left = CaseCancelled(by_resident=True, ended_at=now(), from_id="team_1", from_tier="team", from_announced=True)
    await town.tell(CASE, note, left)
    assert await town.templates(HANDLER) == ["case-cancelled", "team-called", "team-joined"]
    assert await town.templates(LEADER) == ["case-assigned", "case-cancelled", "comment-among-staff", "team-joined"]
    assert await town.templates(SUPERVISOR) == ["team-joined"]


@pytest.mark.parametrize("by", ["system", f"account_{SUPERVISOR}", f"account_{HANDLER}"])
async def test_a_pause_is_over_for_the_resident_and_for_the_handler_unless_one_of_them_ended_it(
    town: Town, by: str
) -> None:
    await town.peopled()
    await town.filed(CASE)
    paused = CasePaused(because="parts", reason=town.seal("等配件", CASE, "reason"), paused_at=now(), due_at=now())
    await town.tell(CASE, paused, CaseResumed(respond_by=now(), warn_at=now(), due_at=now()), by=by)
    assert await town.templates(RESIDENT) == ["case-filed", "case-paused", "case-resumed"]
    by_others = [] if by == f"account_{HANDLER}" else ["case-paused-for-staff", "case-resumed-for-staff"]
    assert await town.templates(HANDLER) == await town.templates(LEADER) == ["case-assigned", *by_others]
    assert "等配件" not in await town.said(RESIDENT, "case-paused")


async def test_a_leader_who_did_it_gets_no_notice_of_it(town: Town) -> None:
    await town.peopled()
    await town.employed(LEADER, "handler", COMMUNITY, STATION)
    await town.filed(CASE)
    await town.tell(CASE, CaseUrged(times=1, urged_at=now()), by=f"account_{LEADER}")
    assert await town.templates(LEADER) == ["case-assigned"]
    assert await town.templates(HANDLER) == ["case-assigned", "case-urged"]


async def test_staff_beyond_those_that_are_read_are_counted_and_always_the_same_are_read(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_ACCOUNTS", 2)
    for person in ("d", "b", "c", "a"):
        await town.employed(person, "handler", COMMUNITY, STATION)
    station, before = Address("organisation", STATION), left_out()
    with capture_logs() as logged:
        directory = await queries.look_up(town.container, [station])
    assert directory.first([[station]], but=None) == ["a", "b"]
    assert left_out() == before + 2
    assert [(entry["concerned"], entry["read"]) for entry in logged] == [(4, 2)]


async def test_who_is_employed_gets_the_next_notice_although_recipients_are_held(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    for number in range(1, 4):
        person = f"person_new{number}"
        await town.born(person)
        await town.employed(person, "handler", COMMUNITY, STATION)
        await town.tell(CASE, CaseUrged(times=number, urged_at=now()))
        assert (await town.templates(person)).count("case-urged") == 1
        assert (await town.templates(HANDLER)).count("case-urged") == number


def left_out() -> float:
    """How many people were not notified so far."""
    return REGISTRY.get_sample_value("linli_recipients_left_out_total") or 0.0


def test_of_a_larger_audience_fifty_are_notified_and_the_rest_is_counted() -> None:
    team, before = Address("team", "team_1"), left_out()
    crew = Directory({team: [Recipient(f"person_{number}") for number in range(MOST + 7)]})
    with capture_logs() as logged:
        assert len(crew.first([[team]], but=None)) == MOST
    assert left_out() == before + 7
    assert [(entry["concerned"], entry["notified"]) for entry in logged] == [(MOST + 7, MOST)]


def test_who_is_named_one_by_one_is_always_notified() -> None:
    before = left_out()
    people = [Address("person", f"person_{number}") for number in range(MOST + 7)]
    assert len(Directory({}).first([people], but=None)) == MOST + 7
    assert left_out() == before
    known = Directory({Address("account", "account_1"): [Recipient("person_1", "account_1")]})
    assert "person_1" not in known.first([people], but="account_1")


async def test_the_operator_who_filed_for_a_caller_hears_of_notes_until_the_account_is_closed(town: Town) -> None:
    await town.peopled()
    await town.born("person_op")
    await town.employed("person_op", "operator", COUNTY)
    await town.keyed(CASE)
    filing = town.filing(CASE, "261123-7K3F").model_copy(
        update={"channel": "on_behalf", "filed_by": "account_person_op"}
    )
    await town.tell(CASE, filing, dispatched())
    said = {"author_id": "x", "public": False, "by_resident": False, "from_resident": False}
    for _ in range(2):
        await town.tell(CASE, CommentAdded(text=town.seal("几号楼？", CASE, "text"), **said))
        assert await town.templates("person_op") == ["comment-among-staff"]
        await town.tell("account_person_op", AccountClosed(person_id="person_op", tokens_until=now()))
