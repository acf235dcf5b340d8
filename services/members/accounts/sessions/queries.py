"""A person's sessions, the tokens of one, and the public keys that verify them."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import orjson
from fastapi import Response
from pydantic import BaseModel, Field

from services.chassis.domain.paging import Page, PageQuery
from services.chassis.domain.scope import PUBLIC
from services.chassis.http.signing import LIFE, Signer
from services.chassis.storage.listings import Listing
from services.chassis.usecase import Context, usecase
from services.contracts.members.roles import Role
from services.members.accounts.devices.queries import proof_of
from services.members.accounts.model import Account
from services.members.accounts.sessions.model import RefreshToken, Session

_CACHED_SECONDS = 300

SESSIONS = Listing(Session, PageQuery, leads=("account_id",), only={"open": True}, order="-idle_until")


@dataclass(frozen=True)
class KeySet:
    """The public keys of the signing keys (RFC 7517)."""

    document: Mapping[str, Any]


class TokensView(BaseModel):
    """The tokens of a session (RFC 6749, 5.1)."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - no secret
    expires_in: int = Field(description="seconds for which the access token is good", examples=[900])
    refresh_token: str = Field(
        description="good for one use at `POST /v1/sign-in/refresh`; where the answer is lost, for the same use again"
    )
    device_proof: str = Field(
        description="for the next sign-in with this device, in place of the one before: so that what strangers guess "
        "wrongly locks nobody out on it; to be kept as secretly as the refresh token, also after signing out"
    )
    refresh_expires_in: int = Field(description="seconds until the session ends unless refreshed", examples=[2592000])


class SessionView(BaseModel):
    """One of a person's own sessions."""

    id: str
    here: bool = Field(description="whether it is the one that asks")
    method: str = Field(examples=["phone"])
    device: str | None = Field(description="what the device called itself when it signed in")
    started_at: datetime
    refreshed_at: datetime = Field(description="when it last got tokens")
    idle_until: datetime = Field(description="it ends by itself then, unless it gets tokens before")

    @classmethod
    def of(cls, session: Session, ctx: Context) -> Self:
        """For its owner."""
        return cls(
            id=session.id,
            here=session.id == ctx.actor.session,
            method=session.method,
            device=ctx.vault.open(session.device, session.person_id, "device") or None,
            started_at=session.started_at,
            refreshed_at=session.refreshed_at,
            idle_until=session.idle_until,
        )


@usecase(allow=tuple(Role))
async def list_sessions(ctx: Context, query: PageQuery) -> Page[Session]:
    """See where you are signed in, and with what; the one that lasts longest is first."""
    page = await SESSIONS.page(ctx.store, query)
    lasting = [session for session in page.items if session.idle_until > ctx.now()]
    # All behind one that is over are over too.
    return Page(lasting, page.next if len(lasting) == len(page.items) else None)


async def is_new_device(ctx: Context, account_id: str, device_index: str) -> bool:
    """Whether an account has had sessions, and none with this device."""
    mine = Session.where(account_id=account_id)
    with_it = await ctx.store.count(Session, mine | Session.where(device_index=device_index), limit=1)
    return not with_it and bool(await ctx.store.count(Session, mine, limit=1))


def is_genuine(ctx: Context, token: RefreshToken) -> bool:
    """Whether we made this refresh token, be it the latest or a spent one."""
    return hmac.compare_digest(_secret(ctx, token.session, token.generation).encode(), token.secret.encode())


def _secret(ctx: Context, session: str, generation: int) -> str:
    """Derived with the server's key and not stored: who has lost the answer gets the same again."""
    return ctx.vault.master.blind("refresh token", f"{session}|{generation}")


def tokens(ctx: Context, account: Account, session: Session) -> TokensView:
    """The tokens of an account's session; none outlives it."""
    life = min(LIFE, session.idle_until - ctx.now())
    return TokensView(
        access_token=ctx.dependency(Signer).sign(account.actor(session.id), ctx.now(), life),
        expires_in=int(life.total_seconds()),
        refresh_token=str(RefreshToken(session.id, session.generation, _secret(ctx, session.id, session.generation))),
        device_proof=proof_of(ctx, account, session.device_index),
        refresh_expires_in=int((session.idle_until - ctx.now()).total_seconds()),
    )


@usecase(allow=PUBLIC)
async def get_keys(ctx: Context) -> Response:
    """Fetch the public keys by which our tokens are verified."""
    headers = {"Cache-Control": f"public, max-age={_CACHED_SECONDS}"}
    body = orjson.dumps(ctx.dependency(KeySet).document)
    return Response(body, headers=headers, media_type="application/jwk-set+json")
