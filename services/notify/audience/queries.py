"""Finds those who hold a post, work for an organisation or lead it, for many events at once."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from services.chassis.domain.paging import Order
from services.chassis.storage.mongo import Document, Mongo
from services.chassis.storage.reference import Reference
from services.chassis.telemetry import logs
from services.chassis.usecase import Container
from services.notify.audience.metrics import left_out
from services.notify.audience.model import Organisation, Staff, Team

log = logs.get()

T = TypeVar("T", Organisation, Staff, Team)

_BY_ID = Order("_id")

MOST = 50
"""At most this many people get a notice of one event; larger audiences need a broadcast."""
_ACCOUNTS, _COUNTED = 5_000, 50_000
"""How many accounts are read, and counted where there are more, for all events that are handled together."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where recipients are found: a person, an account, the staff and leader of an organisation or team, the members of
    a team, the holders of a post."""

    kind: Literal["person", "account", "organisation", "team", "post"]
    name: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person, with the account by which they were found."""

    person: str
    account: str | None = None
    named: bool = False
    """Whether the address is their own, and no post or body: such lists have limits of their own."""


Choices = Sequence[Sequence[Address]]
"""Where to look for recipients, best first: the first choice with anybody in it counts."""


class Directory:
    """The recipients at some addresses."""

    def __init__(self, found: dict[Address, list[Recipient]]) -> None:
        self._found = found
        # Members of a team are found without their accounts, and their leader with it: nobody is told what they did.
        self._people = {who.account: who.person for some in found.values() for who in some if who.account}

    def first(self, choices: Choices, but: str | None) -> list[str]:
        """The people at the first choice that has any, sorted: at most fifty of those that are not named one by one.

        ``but``: an account that knows already.
        """
        know = {self._people[but]} if but in self._people else set()
        found = self._first(choices)
        named = {who.person for who in found if who.named} - know
        return sorted({*named, *_fitting(sorted({who.person for who in found} - know - named))})

    def anybody(self, choices: Choices) -> bool:
        """Whether somebody with an account is at one of them: only they can do something about it."""
        return any(who.account for who in self._first(choices))

    def includes(self, choices: Choices, account: str) -> bool:
        """Whether this account is at the first choice that has anybody."""
        return account in {who.account for who in self._first(choices)}

    def _first(self, choices: Choices) -> Sequence[Recipient]:
        for addresses in choices:
            found = [who for address in addresses for who in self._at(address)]
            if found:
                return found
        return []

    def _at(self, address: Address) -> Sequence[Recipient]:
        return [Recipient(address.name, named=True)] if address.kind == "person" else self._found.get(address, ())


async def look_up(container: Container, addresses: Iterable[Address]) -> Directory:
    """The recipients at these addresses, with at most three queries, however many there are."""
    names: dict[str, list[str]] = defaultdict(list)
    for address in set(addresses):
        names[address.kind].append(address.name)
    found: dict[Address, list[Recipient]] = defaultdict(list)
    staff, led = await asyncio.gather(
        _accounts(container, names["organisation"], names["post"], names["account"]),
        _led(container.reference, [*names["organisation"], *names["team"]]),
    )
    for account in staff:
        who = Recipient(account.person_id, account.id)
        at = (*_all("organisation", account.organisations), *_all("post", account.posts))
        for address in (Address("account", account.id), *at):
            found[address].append(who)
    for thing in led:
        if thing.leader_id is not None:
            found[Address("organisation", thing.id)].append(Recipient(thing.leader_id))
        if isinstance(thing, Team):
            found[Address("team", thing.id)] += [Recipient(member) for member in thing.members]
    return Directory(found)


async def _accounts(
    container: Container, organisations: list[str], posts: list[str], accounts: list[str]
) -> list[Staff]:
    named = [one for one in await _known(container.reference, Staff, accounts) if not one.gone]
    if not organisations and not posts:
        return named
    at = [Staff.where(organisations={"$in": sorted(organisations)}), Staff.where(posts={"$in": sorted(posts)})]
    where: Document = {"$or": at}
    found, _ = await container.reference.find(Staff, where, _BY_ID, _ACCOUNTS)
    if len(found) == _ACCOUNTS:
        await _note_unread(container.mongo, where)
    return [*{account.id: account for account in (*named, *found)}.values()]


async def _note_unread(mongo: Mongo, where: Document) -> None:
    matching = await mongo.count(Staff.collection(), where, limit=_COUNTED)
    if matching > _ACCOUNTS:
        left_out.inc(matching - _ACCOUNTS)
        log.warning(
            "more staff are concerned than are read, and the rest gets no notice: spread them over more organisations",
            concerned=matching,
            read=_ACCOUNTS,
        )


async def _led(reference: Reference, ids: list[str]) -> list[Organisation | Team]:
    teams = {id for id in ids if id.startswith(f"{Team.entity_type}_")}
    found = await asyncio.gather(_known(reference, Organisation, {*ids} - teams), _known(reference, Team, teams))
    return [*found[0], *found[1]]


async def _known(reference: Reference, kind: type[T], ids: Collection[str]) -> list[T]:
    if not ids:
        return []
    return (await reference.find(kind, {"_id": {"$in": sorted(ids)}}, _BY_ID, len(ids)))[0]


def _fitting(people: list[str]) -> list[str]:
    if len(people) > MOST:
        left_out.inc(len(people) - MOST)
        log.warning("more people are concerned than are notified", concerned=len(people), notified=MOST)
    return people[:MOST]


def _all(kind: Literal["organisation", "post"], names: Iterable[str]) -> list[Address]:
    return [Address(kind, name) for name in names]
