"""`linli token`: signed in as somebody of the seeded city, for use with curl."""

import asyncio
import os
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated

import typer

from deploy.cli import screen
from deploy.cli.city import credentials
from deploy.cli.city.client import Gateway, Refused, Unanswered
from deploy.cli.city.spool import CodeMissing, Spool
from deploy.cli.city.tokens import PhoneHolder, SignedIn, StaffMember, Token
from deploy.cli.screen import Json
from deploy.local import Stack, Trouble


def command(
    who: Annotated[
        str,
        typer.Argument(help="A phone, the login of an account, or the id of an organisation or team to work for."),
    ],
    as_json: Json = False,
) -> None:
    """Sign in as a resident or as one of the demo accounts, and print the access token; it is valid for 15 minutes.
    以居民或演示账号登录，输出访问令牌，有效期 15 分钟。

    For a phone, the code is read where `linli sms` shows it; for an account, password and second factor come from
    `.linli/credentials.json`. A one-time code works once: the second token of an account may take half a minute.

    Examples:  [bold]linli token 13800138000[/]  ·  [bold]linli token operator[/]  ·
    [bold]curl -H "Authorization: Bearer $(linli token supervisor)" …[/]

    Exit code 0: printed; 1: signing in was refused; 2: Linli does not run, or there is no such account.
    """
    stack = Stack.of(os.environ).running()
    token = asyncio.run(_signed_in(stack, who))
    if as_json:
        expires = datetime.fromtimestamp(token.expires, UTC)
        screen.print_json({"token": token.value, "actor": token.actor, "expires": expires})
    else:
        typer.echo(token.value)


async def _signed_in(stack: Stack, who: str) -> Token:
    async with Gateway(stack.gateway) as gateway:
        try:
            return await _bearer(stack, gateway, who).token()
        except (Refused, CodeMissing) as error:
            raise Trouble(f"No token: {error}.", code=1) from error
        except Unanswered as error:
            raise Trouble(f"The gateway does not answer: {error}. See `linli status`.") from error


def _bearer(stack: Stack, gateway: Gateway, who: str) -> SignedIn:
    digits = who.removeprefix("+86")
    if digits.isdecimal():
        return PhoneHolder(gateway, Spool(stack.home.sms), f"+86{digits}")
    known = credentials.read(stack.home)
    account = known.serving().get(who) or next((one for one in known.accounts if one.login == who), None)
    if account is None:
        like = get_close_matches(who, [one.login for one in known.accounts])
        tried = dict.fromkeys([*like, *known.by_role().values()])
        raise Trouble(
            f"There is no account {who!r}: try {', '.join(tried)}; all are in {credentials.path(stack.home)}."
        )
    return StaffMember(gateway, account)
