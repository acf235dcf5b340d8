"""A notify of its own beside the stack's: own topics on its broker, an own database on its server, people, cases."""

import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.chassis.domain.events import Origin, Recorded
from services.chassis.domain.values import Sealed, id_from, now
from services.chassis.domain.words import Words
from services.chassis.messaging.kafka import KEYS_TOPIC, Outgoing, Publisher, create_topics
from services.chassis.messaging.outgoing import Address
from services.chassis.messaging.reactions import Keep
from services.chassis.runtime.service import open_container
from services.chassis.runtime.settings import Settings
from services.chassis.storage import migrations
from services.chassis.usecase import Container
from services.contracts.requests.case_parts import Channel
from services.contracts.requests.cases import CaseAccepted, CaseDispatched, CaseFiled, LimitsSet
from services.contracts.requests.catalogue import System, Tier
from services.notify.app import service
from services.notify.cases.model import Case
from services.notify.messages.model import Message
from tests.bench.bench import Bench
from tests.bench.town import COMMUNITY, ITEM
from tests.support import operators
from tests.support.operating import settings_of
from tests.support.world import NAMES

T = TypeVar("T")
_AT_ONCE = 1_000
_KNOWN = 3
"""The version at which notify knows each case: filed, its limits set, dispatched."""


@dataclass(frozen=True)
class NotifyLoad:
    """The LINLI_* settings of its processes, and the cases (with their residents) of which it knows."""

    environment: Mapping[str, str]
    cases: Sequence[tuple[str, str]]

    @property
    def settings(self) -> Settings:
        """As a process of it takes them."""
        return settings_of(self.environment)

    @property
    def topic(self) -> str:
        """Where the events of cases stand."""
        return self.settings.topic("requests")

    def split(self, first: int) -> "tuple[NotifyLoad, NotifyLoad]":
        """The same with only the first cases, and with only the others."""
        return replace(self, cases=self.cases[:first]), replace(self, cases=self.cases[first:])

    async def accept_all(self) -> None:
        """Publish that every case was accepted: one message to its resident each, as the relay of requests would."""
        settings = self.settings
        address = Address(self.topic, settings.source("requests"))
        origin = Origin(now(), "account_bench", settings.city, "bench", None, None)
        publisher = Publisher(settings.kafka)
        for cases in _parts(self.cases):
            lost = await publisher.send([_record(address, origin, case) for case, _ in cases])
            assert not any(lost), lost
        await publisher.stop()


@contextlib.asynccontextmanager
async def opened(bench: Bench, name: str, people: int, cases: int) -> AsyncIterator[NotifyLoad]:
    """An outpost that knows so many people and cases, each person about as many of them; gone at the end."""
    name = f"{name}-{secrets.token_hex(3)}"  # a group that has read before would know nothing of this database
    residents = [id_from("person", f"{name}:{n}") for n in range(people)]
    filed = [
        (id_from("case", f"{name}:{n}"), resident) for n, resident in zip(range(cases), itertools.cycle(residents))
    ]
    post = NotifyLoad(_environment(bench, name), filed)
    settings = post.settings
    container = open_container(service, settings)
    await create_topics(
        settings.kafka, {short: settings.topic(short) for short in (*NAMES, KEYS_TOPIC)}, settings.topic_replicas
    )
    await migrations.build(container.mongo, service.kinds)
    try:
        await know(container, residents)
        await _copy(container, filed)
        yield post
    finally:
        await container.mongo.command("dropDatabase")
        await container.mongo.close()


async def know(container: Container, people: Sequence[str]) -> None:
    """Keep a key for each of these people, as if members had sent it."""
    for some in _parts(people):
        wrapped = {person: container.vault.master.wrap(AESGCM.generate_key(256), person) for person in some}
        await container.vault.keep({**wrapped})


async def reported(container: Container) -> tuple[int, int]:
    """(how many messages there are, how many lines of inboxes)."""
    lines = [{"$group": {"_id": None, "lines": {"$sum": {"$size": "$lines"}}}}]
    found = await container.mongo.aggregate("inboxes", [*lines], 1)
    messages = await container.mongo.count(Message.collection(), {}, limit=10**9)
    return messages, found[0]["lines"] if found else 0


def _environment(bench: Bench, name: str) -> Mapping[str, str]:
    theirs = bench.stack.environment("notify", "worker")
    own = operators.settings(bench.stack, "notify", f"bench_{name}")
    return {**theirs, **own, "LINLI_TOPIC_PREFIX": f"bench-{name}"}


async def _copy(container: Container, cases: Sequence[tuple[str, str]]) -> None:
    """Notify's copies of these cases, as the keeping of copies writes them."""
    origin = Origin(now(), "account_bench", container.city, "bench", None, None)
    for some in _parts(cases):
        writes = [write for case, resident in some for write in Keep.of(_known(case, resident)).writes(origin)]
        await container.mongo.bulk(Case.collection(), [write for _, write in writes])


def _known(id: str, resident: str) -> Case:
    case, at = Case.blank(id), now()
    until = at + timedelta(days=1)
    for version, event in enumerate(_life(id, resident), start=1):
        case.version = version
        case.apply(event)
    case.due_at = until
    return case


def _life(id: str, resident: str) -> Sequence[CaseFiled | LimitsSet | CaseDispatched]:
    at = now()
    until = at + timedelta(days=1)
    filed = CaseFiled(
        number=f"261124-{id.upper()}-4",
        filed_at=at,
        resident_id=resident,
        filed_by="account_bench",
        channel=Channel.SELF,
        item=ITEM,
        item_name=Words.named("其他诉求", "Other concerns"),
        system=System.GOVERNANCE,
        area=COMMUNITY,
        title=Sealed("1.AAAA"),
        text=Sealed("1.AAAA"),
        department="综治中心",
        tiers=[Tier.STATION],
        first_response_hours=4,
        resolution_hours=40,
    )
    station = CaseDispatched(
        tier=Tier.STATION,
        handler_id="org_bench",
        handler_name=Words.named("河畔街道综合服务站", "Riverside station"),
    )
    return filed, LimitsSet(respond_by=until, warn_at=until, due_at=until), station


def _record(address: Address, origin: Origin, case: str) -> Outgoing:
    return address.record(Recorded.of(CaseAccepted(), case, _KNOWN + 1, origin, ""))


def _parts(things: Sequence[T]) -> list[Sequence[T]]:
    return [things[start : start + _AT_ONCE] for start in range(0, len(things), _AT_ONCE)]
