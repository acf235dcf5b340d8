"""The rules of sign-in and accounts."""

from services.contracts.members.accounts import (
    AccountClosed,
    AccountOpened,
    NewDeviceUsed,
    RolesGranted,
    SessionEnd,
    SessionEnded,
    SignInCodeIssued,
)
from services.contracts.members.people import PhoneChanged
from services.notify.rules.model import Blind, Named, Occurrence, Subject, Tell, silence
from services.notify.templates.model import Facts


def facts(what: Occurrence[None], _: Blind) -> Facts:
    """Until when a code is valid; of everything else, when it happened."""
    return {"until": what.event.expires_at} if isinstance(what.event, SignInCodeIssued) else {"at": what.at}


def was_copied(what: Occurrence[None]) -> bool:
    """a spent refresh token of the session was used again"""
    return bool(what.event.reason == SessionEnd.SPENT_TOKEN)


def was_elsewhere(what: Occurrence[None]) -> bool:
    """it was ended from another session of the same person"""
    return bool(what.event.reason == SessionEnd.ENDED_ELSEWHERE)


subject = Subject[None](
    name="sign-in",
    parties=(Named(),),
    rules=(
        Tell(SignInCodeIssued, Named(), "sign-in-code", urgent=True, by_phone=True),
        Tell(PhoneChanged, Named(), "phone-changed", urgent=True, by_phone=True, kept=True),
        Tell(NewDeviceUsed, Named(), "new-device", texted=True, urgent=True),
        Tell(SessionEnded, Named(), "session-copied", when=was_copied, texted=True, urgent=True),
        Tell(SessionEnded, Named(), "session-ended-elsewhere", when=was_elsewhere),
    ),
    silences=(silence(SessionEnded, "who ends a session knows it, and of a closed account the inbox", Named()),),
    silent={
        AccountOpened: "the first sign-in of a resident opens it; staff get theirs from an administrator",
        RolesGranted: "the administrator who grants roles tells the person",
        AccountClosed: "an inbox that nobody can open any more",
    },
    facts=facts,
)
