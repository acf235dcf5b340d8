"""`linli seed`: fill a running Linli with a city."""

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from deploy.cities.load import CityDataWrong, load
from deploy.cities.shapes import City
from deploy.cli import screen
from deploy.cli.city import credentials, progress
from deploy.cli.city.client import Gateway, Refused, Unanswered
from deploy.cli.city.credentials import Credentials, Resident
from deploy.cli.city.quiet import until_quiet
from deploy.cli.city.tokens import KeyHolder
from deploy.cli.screen import Json
from deploy.cli.seeding import marker
from deploy.cli.seeding.marker import Marker
from deploy.cli.seeding.stages import AT_ONCE, Seeding
from deploy.local import Stack, Trouble

DEMO_PHONE = "13800138000"


def command(
    city: Annotated[Path | None, typer.Option(help="The folder of the city's data; the one set for the stack.")] = None,
    as_json: Json = False,
) -> None:
    """Load a city's areas, catalogue, organisations, volunteer teams and staff through the gateway.
    经由网关录入全市的区划、服务事项、机构、志愿服务队和工作人员。

    It acts with a short-lived token that it signs with the stack's signing key: this key allows everything that the
    operator may do. Every request has an Idempotency-Key made of the city and a natural key, so it may be interrupted
    and repeated: existing data stays as it is. At the end it waits until every service has the data.
    The accounts are in .linli/credentials.json, readable by you only.

    Examples:  [bold]linli seed[/]  ·  [bold]linli seed --city deploy/cities/hulunbuir[/]

    Exit code 0: every service has all of it; 1: it was refused, or a service has not caught up; 2: wrong data, or
    Linli does not run.
    """
    stack = Stack.of(os.environ).running()
    counts = asyncio.run(seed(stack, city or stack.city_data))
    if as_json:
        screen.print_json(counts)
    else:
        result = ", ".join(f"{number:,} {what}" for what, number in counts.items() if what != "seconds")
        screen.STDOUT.print(f"Seeded: {result}; every service has all of it ({counts['seconds']} s).")
        screen.STDOUT.print(f"Accounts: {credentials.path(stack.home)}", soft_wrap=True)


def operator(stack: Stack, place: str) -> KeyHolder:
    """The operator of the stack, as administrator of a place."""
    environment = stack.environment("members", "web")
    roles = frozenset({"administrator", "operator"})
    return KeyHolder(stack.layout.token_keys, roles, place, environment["LINLI_ISSUER"], environment["LINLI_AUDIENCE"])


async def seed(stack: Stack, data: Path) -> dict[str, int]:
    """Load a folder and return how many of each there are; Trouble where it cannot be done."""
    city, began = _read(data), time.monotonic()
    root = next(area.code for area in city.areas if area.level == "city")
    name = stack.environment("members", "web")["LINLI_CITY"]
    try:
        async with Gateway(stack.gateway, at_once=AT_ONCE) as gateway:
            with progress.bars() as shown:
                seeding = Seeding(name, city, gateway, operator(stack, root), shown)
                await seeding.all()
                shown.say("waiting until every service has caught up")
            await until_quiet(stack)
            await seeding.expect_fileable()
    except (Refused, Unanswered) as error:
        raise Trouble(f"Seeding stopped: {error}. Fix that, then repeat `linli seed`: it continues.", code=1) from error
    _keep(stack, data, seeding)
    return {**seeding.counts, "seconds": round(time.monotonic() - began)}


def _read(data: Path) -> City:
    try:
        return load(data)
    except CityDataWrong as error:
        raise Trouble(f"The data in {data} cannot be used: fix these.", lines=error.problems[:20]) from error


def _keep(stack: Stack, data: Path, seeding: Seeding) -> None:
    resident = Resident(phone=DEMO_PHONE, area=seeding.last_community)
    credentials.write(
        stack.home, Credentials(city=seeding.name, accounts=tuple(seeding.accounts.values()), resident=resident)
    )
    last_item = seeding.city.catalogue.items[-1].code
    marker.write(
        stack.home,
        Marker(city=seeding.name, digest=marker.digest(data), community=seeding.last_community, item=last_item),
    )
