"""Facts: what fills the placeholders of a text, of a case, a code and a team."""

from datetime import timedelta
from typing import Any

import pytest

from services.chassis.domain.events import Event
from services.chassis.domain.words import Words
from services.contracts.members.teams import TeamFounded, TeamMemberJoined
from services.contracts.requests import cases
from services.notify.audience.model import Team
from services.notify.cases.reactions import facts
from services.notify.rules.model import Occurrence, Subject, no_facts
from services.notify.sign_in import reactions as sign_in
from services.notify.teams import reactions as teams
from tests.notify.conftest import CITY, COMMUNITY, COUNTY, STREET, limits
from tests.notify.hearing import AT, SEALED, TO_STATION, TO_TEAM, UP, occurrence
from tests.notify.test_rules_of_notices import CODE


def blind(kind: str, value: str) -> str:
    """As the vault: something that only this number has."""
    assert (kind, value) == ("track", "261123-7K3F")
    return "00443214c74254b635cf"


CASE_FACTS: dict[str, Any] = {
    "number": "261123-7K3F",
    "item": Words(zh="路灯报修", en="Street light repair"),
    "handler": Words(zh="服务站", en="Station"),
    "due": "due",
    "tracking": "01234-56789",
}
LATER = AT + timedelta(hours=3)
MORE: list[tuple[Event, dict[str, Any]]] = [
    (cases.CaseAccepted(), {}),
    (TO_TEAM, {"handler": Words(zh="队", en="队")}),
    (cases.CaseResumed(respond_by=AT, warn_at=AT, due_at=LATER), {"due": LATER}),
    (cases.CaseWarned(due_at=LATER), {"due": LATER}),
    (cases.CaseOverdue(due_at=LATER), {"due": LATER}),
    (cases.CaseReopened(reason=SEALED, times=2, reopened_at=AT), {"times": 2}),
    (cases.CaseUrged(times=3, urged_at=AT), {"times": 3}),
    (cases.CaseRated(score=4, solved=True), {"score": 4}),
    (UP, {"level": "sub_district", "because": "overdue"}),
    (UP.model_copy(update={"owner_place": COUNTY, "because": "x"}), {"level": "county", "because": "x"}),
    (UP.model_copy(update={"owner_place": CITY}), {"level": "city", "because": "overdue"}),
    (UP.model_copy(update={"owner_place": COMMUNITY}), {"level": "city", "because": "overdue"}),
]


@pytest.mark.parametrize(("event", "more"), MORE, ids=lambda one: type(one).__name__)
def test_a_text_is_filled_with_what_is_known_of_the_case_and_what_the_event_says(
    event: Event, more: dict[str, Any]
) -> None:
    assert facts(occurrence(event, TO_STATION), blind) == CASE_FACTS | more


def test_what_is_not_known_of_a_case_is_named_by_its_key_and_a_returned_one_says_how_often() -> None:
    returned = occurrence(cases.CaseReturned(reason=SEALED, times=2), limits(AT), TO_STATION)
    more = {"handler": "handler", "due": AT + timedelta(hours=16), "times": 2}
    assert facts(returned, blind) == CASE_FACTS | more


def test_a_code_comes_with_its_end_and_a_team_with_its_name() -> None:
    code = Occurrence("code_1:1", CODE, "code_1", 1, AT, "system", None)
    assert sign_in.facts(code, blind) == {"until": CODE.expires_at}
    assert no_facts(code, blind) == Subject[None](name="anything").facts(code, blind) == {}
    team = Team.blank("team_1")
    team.apply(TeamFounded(kind="women", name=Words.named("巾帼队", "Women"), area=STREET, skills=[], capacity=1))
    joined = Occurrence("team_1:2", TeamMemberJoined(person_id="p"), "team_1", 2, AT, "account_x", team)
    assert teams.facts(joined, blind) == {"team": Words(zh="巾帼队", en="Women")}
