"""Rules: of each event exactly those hear whom it concerns, once, in their language, and in time."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from services.chassis.domain.events import Event
from services.chassis.domain.values import now
from services.chassis.schedule.timers import sweep
from services.contracts.members.accounts import SignInCodeIssued
from services.contracts.requests import tracking
from services.contracts.requests.cases import (
    CaseAccepted,
    CaseCancelled,
    CaseClosed,
    CaseEscalated,
    CaseOverdue,
    CaseRated,
    CaseRejected,
    CaseReopened,
    CaseResolved,
    CaseReturned,
    CaseUnassigned,
    CaseUrged,
    CaseWarned,
    CommentAdded,
)
from services.notify.preferences.commands import SetPreferences, set_preferences
from tests.notify.conftest import (
    CENTRE,
    COUNTY,
    DISPATCHER,
    HANDLER,
    LEADER,
    RESIDENT,
    STATION,
    STREET,
    SUPERVISOR,
    Town,
    dispatched,
    eventually,
    limits,
    signed_in,
)
from tests.notify.post import SMS

CASE = "case_lamp"


async def test_a_filed_case_is_acknowledged_with_number_handler_time_and_tracking_code(town: Town) -> None:
    await town.peopled()
    filed = now().replace(year=2026, month=11, day=23, hour=1, minute=30, second=0)
    await town.filed(CASE, at=filed)
    words = await town.said(RESIDENT, "case-filed")
    code = tracking.code_from(town.container.vault.master.blind(tracking.BLIND, "261123-7K3F"))
    assert all(part in words for part in ("路灯报修", "261123-7K3F", "胜利社区服务站", "2026年11月24日01:30", code))


async def test_a_new_case_reaches_handler_and_leader_and_the_resident_by_text_as_well(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    assert await town.templates(HANDLER) == await town.templates(LEADER) == ["case-assigned"]
    assert await town.templates(DISPATCHER) == []
    (to_resident,) = await town.messages(RESIDENT)
    (to_handler,) = await town.messages(HANDLER)
    assert set(to_resident.deliveries) == {"sms"}
    assert to_handler.deliveries == {}
    assert to_resident.about == to_handler.about == CASE


async def test_a_case_that_nobody_has_is_acknowledged_and_given_to_the_dispatchers(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE, CaseUnassigned(reason="nobody_serves"))
    assert await town.templates(RESIDENT) == ["case-filed-unassigned"]
    assert await town.templates(DISPATCHER) == ["case-unassigned"]
    await town.tell(CASE, dispatched(), by=f"account_{DISPATCHER}")
    assert await town.templates(RESIDENT) == ["case-filed-unassigned", "case-moved"]


RESIDENT_HEARS: list[tuple[Event, str]] = [
    (CaseAccepted(), "case-accepted"),
    (CaseClosed(reason="fixed", ended_at=now()), "case-closed"),
]
FROM_STATION: dict[str, Any] = {"from_id": STATION, "from_tier": "station", "from_announced": True}
HANDLER_HEARS: list[tuple[Event, str]] = [
    (CaseRated(score=5, solved=True), "case-rated"),
    (CaseUrged(times=2, urged_at=now()), "case-urged"),
    (CaseWarned(due_at=now()), "case-warned"),
    (CaseOverdue(due_at=now()), "case-overdue"),
    (CaseCancelled(by_resident=True, ended_at=now(), **FROM_STATION), "case-cancelled"),
]


async def test_those_whom_a_step_of_a_case_concerns_are_notified(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    for event, _ in (*RESIDENT_HEARS, *HANDLER_HEARS):
        await town.tell(CASE, event)
    assert await town.templates(RESIDENT) == sorted(["case-filed", *(name for _, name in RESIDENT_HEARS)])
    assert await town.templates(HANDLER) == sorted(["case-assigned", *(name for _, name in HANDLER_HEARS)])
    assert await town.templates(LEADER) == await town.templates(HANDLER)
    assert await town.templates(DISPATCHER) == ["case-overdue"]


@pytest.mark.parametrize(
    ("event", "field", "template"),
    [
        (CaseResolved, {"outcome": "fixed", "resolved_at": now(), "resolution_seconds": 60}, "case-resolved"),
        (CaseRejected, {"reason": "not_our_duty", "ended_at": now()}, "case-rejected"),
    ],
)
async def test_the_resident_reads_the_answer(town: Town, event: type[Event], field: dict, template: str) -> None:  # type: ignore[type-arg]
    await town.peopled()
    await town.filed(CASE)
    answer = "路灯已于今日修好 {{ 7*7 }} $version"
    await town.tell(CASE, event(answer=town.seal(answer, CASE, "answer"), **field))
    assert answer in await town.said(RESIDENT, template)


async def test_a_comment_goes_to_the_other_side_and_an_internal_one_never_to_the_resident(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)

    def comment(text: str, *, by_resident: bool, public: bool) -> CommentAdded:
        return CommentAdded(
            text=town.seal(text, CASE, "text"),
            public=public,
            author_id="somebody",
            by_resident=by_resident,
            from_resident=by_resident,
        )

    await town.tell(CASE, comment("还没有修", public=True, by_resident=True), by=f"account_{RESIDENT}")
    await town.tell(CASE, comment("明天来修", public=True, by_resident=False), by=f"account_{HANDLER}")
    await town.tell(CASE, comment("缺配件", public=False, by_resident=False), by=f"account_{HANDLER}")
    assert await town.templates(RESIDENT) == ["case-filed", "comment-from-staff"]
    assert "明天来修" in await town.said(RESIDENT, "comment-from-staff")
    # Who wrote knows it; the leader does not.
    assert await town.templates(HANDLER) == ["case-assigned", "comment-from-resident"]
    colleague = ["case-assigned", "comment-among-staff", "comment-from-resident", "comment-to-resident"]
    assert await town.templates(LEADER) == colleague
    assert await town.templates(DISPATCHER) == ["comment-among-staff"]
    assert "还没有修" not in await town.said(HANDLER, "comment-from-resident")


async def test_a_case_returned_once_goes_to_the_dispatchers_and_twice_to_the_supervisor(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    for times in (1, 2):
        reason = town.seal("不归我们管", CASE, "reason")
        await town.tell(CASE, CaseReturned(reason=reason, times=times), by=f"account_{HANDLER}")
    assert await town.templates(DISPATCHER) == ["case-returned"]
    assert await town.templates(SUPERVISOR) == ["case-returned-again"]


async def test_a_reopened_case_reaches_who_settled_it_the_dispatchers_and_who_has_it_now(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    reason = town.seal("还是不亮", CASE, "reason")
    moved = [
        CaseReopened(reason=reason, times=1, reopened_at=now(), **FROM_STATION),
        limits(now()),
        dispatched(CENTRE, "胜利街道便民服务中心"),
    ]
    await town.tell(CASE, *moved)
    assert await town.templates(HANDLER) == ["case-assigned", "case-reopened"]
    assert await town.templates(DISPATCHER) == ["case-assigned", "case-reopened"]
    assert await town.templates(RESIDENT) == ["case-filed", "case-moved"]


async def test_an_escalated_case_reaches_who_answers_for_the_level(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    up = CaseEscalated(level=1, owner_id=CENTRE, owner_place=STREET, because="overdue")
    await town.tell(CASE, up)
    await town.tell(CASE, up.model_copy(update={"level": 2, "owner_id": None, "owner_place": COUNTY}))
    assert await town.templates(DISPATCHER) == await town.templates(SUPERVISOR) == ["case-escalated-to-you"]
    assert (await town.templates(RESIDENT)).count("case-escalated") == 2
    await town.tell(CASE, up.model_copy(update={"level": 2, "owner_place": COUNTY, "because": "returned"}))
    assert await town.templates(SUPERVISOR) == ["case-escalated-to-you"]


async def test_where_a_handler_has_no_people_the_dispatchers_hear(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE, dispatched("organisation_unknown"))
    assert await town.templates(DISPATCHER) == ["case-without-hands"]


async def test_a_sign_in_code_is_a_text_message_and_is_in_no_inbox(town: Town) -> None:
    await town.born(RESIDENT)
    phone, code = town.seal("13911112222", RESIDENT, "phone"), town.seal("402913", RESIDENT, "code")
    expires = now() + timedelta(minutes=5)
    await town.tell("code_1", SignInCodeIssued(person_id=RESIDENT, phone=phone, code=code, expires_at=expires))
    (message,) = await town.messages(RESIDENT)
    assert message.text is not None
    assert "402913" in (town.container.vault.open(message.text, RESIDENT, "message-text") or "")
    assert "402913" not in town.body(message)
    assert (message.inbox_of, message.urgent, message.expires_at) == (None, True, expires)
    assert await town.container.mongo.find_one("inboxes", {"_id": RESIDENT}) is None


async def test_a_sign_in_code_that_has_expired_is_not_even_written(town: Town) -> None:
    await town.born(RESIDENT)
    phone, code = town.seal("13911112222", RESIDENT, "phone"), town.seal("402913", RESIDENT, "code")
    issued = SignInCodeIssued(person_id=RESIDENT, phone=phone, code=code, expires_at=now())
    await town.tell("code_1", issued, at=now() - timedelta(minutes=5))
    assert await town.messages(RESIDENT) == []


async def test_what_happened_more_than_a_day_ago_is_found_in_the_inbox_and_never_sent_outside(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE, at=now() - timedelta(hours=25))
    (message,) = await town.messages(RESIDENT)
    assert (message.inbox_of, message.deliveries) == (RESIDENT, {})


async def chosen(town: Town, person: str, **of: Any) -> None:
    ctx = town.container.context(signed_in(person), f"test:{person}")
    await set_preferences(ctx, SetPreferences(**{"channels": [], **of}))


async def test_a_message_is_in_the_language_that_its_reader_chose(town: Town) -> None:
    await town.peopled()
    await chosen(town, RESIDENT, language="en")
    await town.filed(CASE)
    words = await town.said(RESIDENT, "case-filed")
    assert "Street light repair" in words
    assert "Shengli Station" in words


async def test_staff_who_want_mail_get_all_of_it_and_text_messages_where_they_are_worth_it(town: Town) -> None:
    await town.peopled()
    await chosen(town, HANDLER, channels=["sms", "email"], email="li@example.org")
    await town.filed(CASE)
    await town.tell(CASE, CaseRated(score=4, solved=True))
    by_template = {message.template: set(message.deliveries) for message in await town.messages(HANDLER)}
    assert by_template == {"case-assigned": {"sms", "email"}, "case-rated": {"email"}}


async def test_quiet_hours_hold_back_what_is_not_urgent(town: Town) -> None:
    await town.peopled()
    clock = now().astimezone(town.container.dependencies[ZoneInfo])
    quiet = {"quiet_from": f"{clock - timedelta(hours=1):%H:%M}", "quiet_to": f"{clock + timedelta(hours=2):%H:%M}"}
    await chosen(town, RESIDENT, channels=["sms"], **quiet)
    await chosen(town, HANDLER, channels=["sms"], **quiet)
    await town.filed(CASE)
    await town.tell(CASE, CaseOverdue(due_at=now()))
    (held,) = await town.messages(RESIDENT)
    (overdue,) = [message for message in await town.messages(HANDLER) if message.urgent]
    assert held.next_sms_at is not None
    assert overdue.next_urgent_sms_at is not None
    assert held.next_sms_at > now() + timedelta(hours=1)
    assert overdue.next_urgent_sms_at <= now()


async def test_an_erased_person_gets_no_notice_and_the_others_do(town: Town) -> None:
    await town.peopled()
    await town.filed(CASE)
    await town.container.vault.keep({RESIDENT: None})
    await town.tell(CASE, CaseAccepted())
    await town.tell(CASE, CaseUrged(times=1, urged_at=now()))
    assert await town.templates(RESIDENT) == ["case-filed"]
    assert "case-urged" in await town.templates(HANDLER)


async def test_an_event_of_an_unknown_case_is_parked_with_its_reason(town: Town) -> None:
    await town.publish([town.record("case_ghost", CaseAccepted())])

    async def parked() -> Any:
        return await town.container.mongo.find_one("parked", {"_id": "tell|case_ghost:1"})

    assert "nothing is known" in (await eventually(parked))["reason"]


async def test_nothing_personal_is_in_logs_or_documents(town: Town) -> None:
    with capture_logs() as logged:
        await town.peopled()
        await town.filed(CASE)
        answer = town.seal("路灯已于今日修好", CASE, "answer")
        await town.tell(CASE, CaseResolved(outcome="fixed", answer=answer, resolved_at=now(), resolution_seconds=60))
        await sweep(SMS, town.container)
    names = ["messages", "inboxes", "copies_person", "copies_case", "preferences"]
    documents = [await town.container.mongo.find(name, {}, limit=100) for name in names]
    assert await town.said(RESIDENT, "case-resolved")
    assert not [word for word in ("13800000001", "已于今日", "路灯坏了") if word in repr((logged, documents))]
