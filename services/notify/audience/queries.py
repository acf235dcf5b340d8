"""Finds those who hold a post, work for an organisation or lead it, for many events at once."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from services.chassis.storage.batch_loader import by_ids
from services.chassis.storage.documents import load
from services.chassis.storage.mongo import Mongo
from services.chassis.telemetry import logs
from services.notify.audience.metrics import left_out
from services.notify.audience.model import Organisation, Staff, Team

log = logs.get()

MOST = 50
"""At most this many people get a notice of one event; larger audiences need a broadcast."""
_ACCOUNTS = 5_000


@dataclass(frozen=True, slots=True)
class Address:
    """Where recipients are found: a person, the staff and leader of an organisation or team, the members of a team, the
    holders of a post."""

    kind: Literal["person", "organisation", "team", "post"]
    name: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person, with the account by which they were found."""

    person: str
    account: str | None = None


class Directory:
    """The recipients at some addresses."""

    def __init__(self, found: dict[Address, list[Recipient]]) -> None:
        self._found = found

    def first(self, choices: Sequence[Sequence[Address]], but: str | None) -> list[str]:
        """The people at the first choice that has any, at most fifty, sorted.

        ``but``: an account that knows already.
        """
        for addresses in choices:
            found = [who for address in addresses for who in self._at(address)]
            if found:
                know = {who.person for who in found if but is not None and who.account == but}
                return _fitting(sorted({who.person for who in found} - know))
        return []

    def _at(self, address: Address) -> Sequence[Recipient]:
        return [Recipient(address.name)] if address.kind == "person" else self._found.get(address, ())


async def look_up(mongo: Mongo, addresses: Iterable[Address]) -> Directory:
    """The recipients at these addresses, with three queries, however many there are."""
    names: dict[str, list[str]] = defaultdict(list)
    for address in set(addresses):
        names[address.kind].append(address.name)
    found: dict[Address, list[Recipient]] = defaultdict(list)
    staff, led = await asyncio.gather(
        _accounts(mongo, names["organisation"], names["post"]), _led(mongo, [*names["organisation"], *names["team"]])
    )
    for account in staff:
        who = Recipient(account.person_id, account.id)
        for address in (*_all("organisation", account.organisations), *_all("post", account.posts)):
            found[address].append(who)
    for thing in led:
        if thing.leader_id is not None:
            found[Address("organisation", thing.id)].append(Recipient(thing.leader_id))
        if isinstance(thing, Team):
            found[Address("team", thing.id)] += [Recipient(member) for member in thing.members]
    return Directory(found)


async def _accounts(mongo: Mongo, organisations: list[str], posts: list[str]) -> list[Staff]:
    if not organisations and not posts:
        return []
    where = {"$or": [Staff.where(organisations={"$in": organisations}), Staff.where(posts={"$in": posts})]}
    return [load(Staff, document) for document in await mongo.find(Staff.collection(), where, limit=_ACCOUNTS)]


async def _led(mongo: Mongo, ids: list[str]) -> list[Organisation | Team]:
    teams = {id for id in ids if id.startswith(f"{Team.entity_type}_")}
    found = await asyncio.gather(by_ids(mongo, Organisation, {*ids} - teams), by_ids(mongo, Team, teams))
    return [*found[0].values(), *found[1].values()]


def _fitting(people: list[str]) -> list[str]:
    if len(people) > MOST:
        left_out.inc(len(people) - MOST)
        log.warning("more people are concerned than are notified", concerned=len(people), notified=MOST)
    return people[:MOST]


def _all(kind: Literal["organisation", "post"], names: Iterable[str]) -> list[Address]:
    return [Address(kind, name) for name in names]
