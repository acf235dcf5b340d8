"""The rules of sign-in and accounts."""

from services.contracts.members.accounts import AccountClosed, AccountOpened, RolesGranted, SignInCodeIssued
from services.notify.rules.model import Blind, Named, Occurrence, Subject, Tell
from services.notify.templates.model import Facts


def facts(what: Occurrence[None], _: Blind) -> Facts:
    """Until when the code is valid."""
    return {"until": what.event.expires_at}


subject = Subject[None](
    name="sign-in",
    parties=(Named(),),
    rules=(Tell(SignInCodeIssued, Named(), "sign-in-code", urgent=True, by_phone=True),),
    silent={
        AccountOpened: "the first sign-in of a resident opens it; staff get theirs from an administrator",
        RolesGranted: "the administrator who grants roles tells the person",
        AccountClosed: "an inbox that nobody can open any more",
    },
    facts=facts,
)
