"""Subjects: every event of every contract belongs to one, and the engine takes a new one as it takes the others."""

from collections import Counter
from typing import Any

import pytest

from services.chassis.domain.events import Event
from services.chassis.domain.values import now
from services.chassis.domain.words import Words
from services.contracts.members.accounts import AccountClosed, AccountOpened
from services.contracts.members.teams import TeamFounded, TeamLeaderAppointed, TeamMemberJoined
from services.notify.app import service, subjects
from services.notify.audience.model import Team
from services.notify.rules.model import Audience, Named, Subject, Tell
from services.notify.rules.reactions import NotifyReaction
from services.notify.teams import reactions as teams
from tests.contracts.corpus import SERVICES, events_of
from tests.notify.conftest import LEADER, RESIDENT, STREET, Town, eventually, founded, to_team
from tests.support import copy_reads
from tests.support.world import World

RULES = [rule for subject in subjects for rule in subject.rules]


@pytest.mark.parametrize("name", SERVICES)
def test_every_event_notifies_somebody_or_is_silent_for_a_reason(name: str) -> None:
    published = {*events_of(name).values()}
    answered = {event for subject in subjects for event in (*subject.announced, *subject.silent)}
    assert published - answered == set(), "a rule, or silent with its reason: in the folder of the subject"


def test_every_event_belongs_to_one_subject_and_has_rules_or_is_silent() -> None:
    counted = Counter(event for subject in subjects for event in (*subject.announced, *subject.silent))
    assert [event.__name__ for event, count in counted.items() if count > 1] == []
    assert {*counted} == {event for name in SERVICES for event in events_of(name).values()}
    assert all(reason for subject in subjects for reason in subject.silent.values())
    assert len({subject.name for subject in subjects}) == len(subjects)


CELLS = [
    pytest.param(subject, event, party, id=f"{event.__name__}-{party.party}")
    for subject in subjects
    for event in dict.fromkeys(rule.event for rule in subject.rules)
    for party in subject.parties
]


@pytest.mark.parametrize(("subject", "event", "party"), CELLS)
def test_every_party_gets_a_notice_of_an_event_each_time_or_there_is_a_reason(
    subject: Subject[Any], event: type[Event], party: Audience[Any]
) -> None:
    rules, because = subject.answers(event, party)
    each_time = any(rule.tells_each_time for rule in rules)
    assert each_time != bool(because), "one of the two: a rule that always holds, or why it does not"
    assert len(because) <= 1, "one reason"


def test_every_rule_and_reason_is_about_a_party_of_its_subject_and_an_event_with_a_notice() -> None:
    for subject in subjects:
        columns = {party.party for party in subject.parties}
        assert len(columns) == len(subject.parties)
        assert {rule.to.party for rule in subject.rules} <= columns or not subject.parties
        assert {one.event for one in subject.silences} <= subject.announced
        assert {party.party for one in subject.silences for party in one.parties} <= columns


def test_a_subject_with_rules_says_who_its_parties_are() -> None:
    assert [subject.name for subject in subjects if subject.rules and not subject.parties] == []


def test_words_are_quoted_only_to_whom_they_belong() -> None:
    assert not [rule.template for rule in RULES if rule.words and rule.to.staff]
    assert all(rule.words in rule.event.model_fields for rule in RULES if rule.words)


def test_a_message_by_phone_is_about_an_event_that_brings_phone_and_end() -> None:
    needed = {"phone", "expires_at"}
    assert [rule.template for rule in RULES if rule.by_phone and not needed <= {*rule.event.model_fields}] == []


async def test_a_subject_that_the_engine_has_never_seen_gives_notices(world: World) -> None:
    leaders = Subject(
        name="leaders",
        copy=Team,
        rules=(Tell(TeamLeaderAppointed, Named("leader_id"), "team-joined"),),
        facts=teams.facts,
    )
    tell = NotifyReaction((leaders,))
    kept = [one for one in service.all_reactions if one.name != tell.name]
    async with founded(world) as town, town.listening([*kept, tell]):
        await town.born(LEADER, RESIDENT)
        team = TeamFounded(kind="women", name=Words.named("巾帼队"), area=STREET, skills=[], capacity=3)
        await town.tell("team_1", team, TeamMemberJoined(person_id=RESIDENT), TeamLeaderAppointed(leader_id=LEADER))
        await eventually(lambda: town.messages(LEADER))
        assert "巾帼队" in await town.said(LEADER, "team-joined")
        assert await town.messages(RESIDENT) == []


async def test_the_reaction_reads_just_the_copies_that_it_declares(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = copy_reads.noted(monkeypatch)
    await town.peopled()
    founded = TeamFounded(kind="women", name=Words.named("巾帼队"), area=STREET, skills=[], capacity=3)
    await town.tell("team_1", founded, TeamMemberJoined(person_id=RESIDENT))
    await town.filed("case_1")
    await town.filed("case_2", *to_team("team_1", "巾帼队"))
    opened = AccountOpened(person_id=RESIDENT, roles=["resident"], places=[], organisations=[], language="en")
    await town.tell("account_resident", opened, AccountClosed(person_id=RESIDENT, tokens_until=now()))
    await eventually(lambda: copy_reads.all_had_effects(service, town.container))
    assert copy_reads.of(service, reads) == copy_reads.declared(service)
