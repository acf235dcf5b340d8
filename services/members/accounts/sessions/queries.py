"""Tokens of a session, and the public keys that verify them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import Response
from pydantic import BaseModel, Field

from services.chassis.domain.scope import PUBLIC
from services.chassis.http.signing import LIFE, Signer
from services.chassis.usecase import Context, usecase
from services.members.accounts.model import Account
from services.members.accounts.sessions.model import Session

_CACHED_SECONDS = 300


@dataclass(frozen=True)
class KeySet:
    """The public keys of the signing keys (RFC 7517)."""

    document: Mapping[str, Any]


class TokensView(BaseModel):
    """The tokens of a session (RFC 6749, 5.1)."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - no secret
    expires_in: int = Field(description="seconds for which the access token is good", examples=[900])
    refresh_token: str = Field(description="good for one use at `POST /v1/sign-in/refresh`")
    refresh_expires_in: int = Field(description="seconds until the session ends unless refreshed", examples=[2592000])


def tokens(ctx: Context, account: Account, session: Session, secret: str) -> TokensView:
    """The tokens of an account's session with this refresh ``secret``."""
    return TokensView(
        access_token=ctx.dependency(Signer).sign(account.actor(session.id), ctx.now()),
        expires_in=int(LIFE.total_seconds()),
        refresh_token=f"{session.id}.{secret}",
        refresh_expires_in=int((session.idle_until - ctx.now()).total_seconds()),
    )


@usecase(allow=PUBLIC)
async def get_keys(ctx: Context) -> Response:
    """Fetch the public keys by which our tokens are verified."""
    headers = {"Cache-Control": f"public, max-age={_CACHED_SECONDS}"}
    body = orjson.dumps(ctx.dependency(KeySet).document)
    return Response(body, headers=headers, media_type="application/jwk-set+json")
