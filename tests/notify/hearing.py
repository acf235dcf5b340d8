"""The table of who hears of which event of a case, in which words: what the rules must say."""

from datetime import UTC, datetime
from typing import Any

from services.chassis.domain.events import Event
from services.chassis.domain.values import Sealed
from services.chassis.domain.words import Words
from services.contracts.requests import cases
from services.contracts.requests.case_parts import OfHandler
from services.notify.app import subjects
from services.notify.audience.queries import Address
from services.notify.cases.model import Case
from services.notify.cases.parties.model import FOLLOWERS
from services.notify.rules.model import Occurrence, Tell
from tests.notify.conftest import CITY, COMMUNITY, COUNTY, RESIDENT, STATION, STREET

RULES: list[Tell[Any]] = [rule for subject in subjects for rule in subject.rules]
AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
SEALED = Sealed("1.sealed")
FILED = cases.CaseFiled(
    area=COMMUNITY,
    channel="self",
    department="housing",
    filed_at=AT,
    filed_by="account_person_wang",
    first_response_hours=2,
    item="GV-01",
    item_name=Words.named("路灯报修", "Street light repair"),
    number="261123-7K3F",
    resident_id=RESIDENT,
    resolution_hours=16,
    system="governance",
    text=SEALED,
    tiers=["station"],
    title=SEALED,
)
TO_STATION = cases.CaseDispatched(tier="station", handler_id=STATION, handler_name=Words.named("服务站", "Station"))
TO_TEAM = cases.CaseDispatched(tier="team", handler_id="team_1", handler_name=Words.named("队"))
UNASSIGNED = cases.CaseUnassigned(reason="x")
UP = cases.CaseEscalated(level=1, owner_id="organisation_x", owner_place=STREET, because="overdue")


def case_after(*events: Event) -> Case:
    """The copy of a case after its filing and these events."""
    case = Case.blank("case_1")
    for version, event in enumerate((FILED, *events), 1):
        case.version = version
        case.apply(event)  # type: ignore[arg-type]
    return case


def occurrence(event: Event, *before: Event) -> Occurrence[Case]:
    """An event of a case, and what was known of the case by then; it names who has the case, where it concerns them."""
    case = case_after(*before, event) if type(event) in Case.events.values() else case_after(*before)
    version = len(before) + 2
    if isinstance(event, OfHandler):
        event = event.model_copy(update={"handler_id": case.handler_id})
    return Occurrence("case_1:2", event, "case_1", version, AT, "account_x", case)


def post(role: str, place: str) -> Address:
    return Address("post", f"{role}@{place}")


OFFICE, CREW = Address("organisation", STATION), Address("team", "team_1")
WANG = Address("person", RESIDENT)
DISPATCHING = [
    [post("dispatcher", STREET)],
    [post("dispatcher", COUNTY), post("supervisor", COUNTY)],
    [post("dispatcher", CITY), post("supervisor", CITY)],
]
SUPERVISING = [[post("supervisor", COUNTY)], [post("supervisor", CITY)]]


def hearing(what: Occurrence[Any]) -> list[tuple[str, list[list[Address]], str]]:
    """(template, choices, marks) of every rule that has something to say; to followers where there are some."""
    rules = [rule for rule in RULES if rule.event is type(what.event) and rule.when(what)]
    rules = [rule for rule in rules if rule.to is not FOLLOWERS or what.copy.followers]
    return [(rule.template, [[*one] for one in rule.to.choices(what)], marks(rule)) for rule in rules]


def marks(rule: Tell[Any]) -> str:
    said = {
        "texted": rule.texted,
        "urgent": rule.urgent,
        "by_phone": rule.by_phone,
        f"words={rule.words}": rule.words,
        f"without-{rule.instead_of and rule.instead_of.party}": rule.instead_of,
        "unless-own": rule.unless_own,
    }
    return " ".join(name for name, holds in said.items() if holds)


def comment(*, public: bool = True, by_resident: bool = False, from_resident: bool = False) -> cases.CommentAdded:
    return cases.CommentAdded(
        text=SEALED, public=public, author_id="x", by_resident=by_resident, from_resident=from_resident
    )


def left(holder: str, tier: str, *, announced: bool = True) -> dict[str, Any]:
    """Of an event after which a case may leave its handler: who had it."""
    return {"from_id": holder, "from_tier": tier, "from_announced": announced}


BOOKED = cases.CaseBooked(handler_id="team_1", handler_name=Words.named("队"))
TEAM_OFFICE = Address("organisation", "team_1")
BEFORE_STATION, BEFORE_TEAM = [[OFFICE]], [[TEAM_OFFICE, CREW]]
FROM_STATION, FROM_TEAM = left(STATION, "station"), left("team_1", "team")
OWNING = [[Address("organisation", "organisation_x"), post("dispatcher", STREET)], *SUPERVISING]
PAUSED = cases.CasePaused(because="parts", reason=SEALED, paused_at=AT, due_at=AT)
RESUMED = cases.CaseResumed(respond_by=AT, warn_at=AT, due_at=AT)
RESOLVED = cases.CaseResolved(outcome="fixed", answer=SEALED, resolved_at=AT, resolution_seconds=60)
NONE: list[list[Address]] = []
HEARS: list[tuple[Occurrence[Any], list[tuple[str, list[list[Address]], str]]]] = [
    (
        occurrence(TO_STATION),
        [
            ("case-filed", [[WANG]], "texted"),
            ("case-assigned", [[OFFICE]], "texted"),
            ("case-without-hands", DISPATCHING, "texted without-handler"),
        ],
    ),
    (occurrence(TO_TEAM), []),
    (occurrence(TO_TEAM.model_copy(update=FROM_STATION), TO_STATION), [("case-left", BEFORE_STATION, "")]),
    (
        occurrence(TO_STATION.model_copy(update=FROM_TEAM), TO_TEAM, BOOKED),
        [
            ("case-moved", [[WANG]], ""),
            ("case-assigned", [[OFFICE]], "texted"),
            ("case-left", BEFORE_TEAM, ""),
            ("case-without-hands", DISPATCHING, "texted without-handler"),
        ],
    ),
    (
        occurrence(TO_STATION.model_copy(update=left("team_1", "team", announced=False)), TO_TEAM),
        [
            ("case-filed", [[WANG]], "texted"),
            ("case-assigned", [[OFFICE]], "texted"),
            ("case-without-hands", DISPATCHING, "texted without-handler"),
        ],
    ),
    (
        occurrence(BOOKED, TO_TEAM),
        [
            ("case-filed", [[WANG]], "texted"),
            ("case-moved", [[WANG]], ""),  # of two that reach the same person the first counts
            ("case-assigned", [[TEAM_OFFICE]], "texted"),
            ("team-called", [[CREW]], "texted"),
            ("case-without-hands", DISPATCHING, "texted without-handler"),
        ],
    ),
    (
        occurrence(BOOKED, UNASSIGNED, TO_TEAM),
        [
            ("case-moved", [[WANG]], ""),
            ("case-assigned", [[TEAM_OFFICE]], "texted"),
            ("team-called", [[CREW]], "texted"),
            ("case-without-hands", DISPATCHING, "texted without-handler"),
        ],
    ),
    (
        occurrence(cases.CaseTeamAway(handler_id="team_1", handler_name=Words.named("队")), TO_TEAM, BOOKED),
        [("case-team-away", DISPATCHING, "texted")],
    ),
    (
        occurrence(UNASSIGNED),
        [("case-filed-unassigned", [[WANG]], "texted"), ("case-unassigned", DISPATCHING, "texted")],
    ),
    (occurrence(UNASSIGNED, TO_STATION), [("case-unassigned", DISPATCHING, "texted")]),
    (occurrence(cases.CaseAccepted(), TO_STATION), [("case-accepted", [[WANG]], "")]),
    (
        occurrence(PAUSED, TO_STATION),
        [
            ("case-paused", [[WANG]], ""),
            ("case-paused-for-staff", [[OFFICE]], "unless-own"),
            ("case-paused-for-staff", NONE, ""),
        ],
    ),
    (
        occurrence(RESUMED, TO_TEAM, BOOKED),
        [
            ("case-resumed", [[WANG]], ""),
            ("case-resumed-for-staff", [[TEAM_OFFICE]], "unless-own"),
            ("case-resumed-for-staff", [[CREW]], ""),
        ],
    ),
    (
        occurrence(cases.CaseReturned(reason=SEALED, times=1, **FROM_STATION), TO_STATION),
        [("case-returned", DISPATCHING, ""), ("case-left", BEFORE_STATION, "")],
    ),
    (
        occurrence(cases.CaseReturned(reason=SEALED, times=2, **FROM_TEAM), TO_TEAM),
        [("case-returned-again", SUPERVISING, "texted"), ("case-left", BEFORE_TEAM, "")],
    ),
    (
        occurrence(RESOLVED, TO_STATION),
        [
            ("case-resolved", [[WANG]], "texted words=answer"),
            ("team-done", NONE, ""),
            ("case-resolved-for-owner", NONE, ""),
        ],
    ),
    (
        occurrence(RESOLVED, TO_TEAM, BOOKED, UP),
        [
            ("case-resolved", [[WANG]], "texted words=answer"),
            ("team-done", [[CREW]], ""),
            ("case-resolved-for-owner", OWNING, ""),
        ],
    ),
    (occurrence(cases.CaseRated(score=5, solved=True), TO_STATION), [("case-rated", [[OFFICE]], "")]),
    (
        occurrence(cases.CaseReopened(reason=SEALED, times=1, reopened_at=AT, **FROM_STATION), TO_STATION),
        [("case-reopened", BEFORE_STATION, ""), ("case-reopened", DISPATCHING, "")],
    ),
    (occurrence(cases.CaseClosed(reason="fixed", ended_at=AT), TO_STATION), [("case-closed", [[WANG]], "")]),
    (occurrence(cases.CaseClosed(reason="withdrawn", ended_at=AT), TO_STATION), []),
    (
        occurrence(cases.CaseCancelled(by_resident=True, ended_at=AT, **FROM_TEAM), TO_TEAM, BOOKED, UP),
        [("case-cancelled", BEFORE_TEAM, ""), ("case-cancelled", OWNING, "")],
    ),
    (
        occurrence(cases.CaseCancelled(ended_at=AT), UNASSIGNED),
        [
            ("case-cancelled-for-you", [[WANG]], "texted"),
            ("case-cancelled", DISPATCHING, ""),
            ("case-cancelled", NONE, ""),
        ],
    ),
    (
        occurrence(cases.CaseRejected(reason="x", answer=SEALED, ended_at=AT, **FROM_STATION), TO_STATION, UP),
        [
            ("case-rejected", [[WANG]], "texted words=answer"),
            ("case-left", BEFORE_STATION, ""),
            ("case-left", OWNING, ""),
        ],
    ),
    (
        occurrence(cases.CaseUrged(times=1, urged_at=AT), TO_STATION, UP),
        [
            ("case-urged", [[OFFICE]], "texted"),
            ("case-urged", DISPATCHING, "texted without-handler"),
            ("case-urged", OWNING, "texted"),
        ],
    ),
    *(
        (
            occurrence(comment(public=public, by_resident=by, from_resident=True), TO_STATION),
            [
                ("comment-from-resident", [[OFFICE]], ""),
                ("comment-among-staff", [[OFFICE]], ""),
                ("comment-from-resident", DISPATCHING, "without-handler"),
                ("comment-from-resident", NONE, ""),
            ],
        )
        for public, by in ((True, True), (True, False), (False, True))
    ),
    (
        occurrence(comment(public=True), TO_STATION),
        [
            ("comment-from-staff", [[WANG]], "words=text"),
            ("comment-to-resident", [[OFFICE]], ""),
            ("comment-among-staff", [[OFFICE]], ""),
        ],
    ),
    (
        occurrence(comment(public=False), TO_STATION, UP),
        [
            ("comment-among-staff", NONE, ""),
            ("comment-among-staff", [[OFFICE]], ""),
            ("comment-among-staff", DISPATCHING, ""),
            ("comment-among-staff", OWNING, ""),
        ],
    ),
    (
        occurrence(cases.CaseWarned(due_at=AT), TO_STATION),
        [("case-warned", [[OFFICE]], "texted"), ("case-warned", DISPATCHING, "texted without-handler")],
    ),
    (
        occurrence(cases.CaseOverdue(due_at=AT), TO_STATION),
        [("case-overdue", [[OFFICE]], "texted urgent"), ("case-overdue", DISPATCHING, "texted urgent")],
    ),
    (
        occurrence(UP, TO_STATION),
        [
            ("case-escalated", [[WANG]], ""),
            ("case-escalated-to-you", OWNING, "texted urgent"),
        ],
    ),
    (
        occurrence(UP.model_copy(update={"because": "unaccepted"}), TO_STATION),
        [
            ("case-escalated", [[WANG]], ""),
            ("case-escalated-to-you", OWNING, "texted urgent"),
            ("case-went-up", [[OFFICE]], ""),
        ],
    ),
    (occurrence(UP.model_copy(update={"because": "returned"}), TO_STATION), [("case-escalated", [[WANG]], "")]),
]
