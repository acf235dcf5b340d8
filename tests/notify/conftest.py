"""What the tests of notify share: a town whose other services are heard over real Kafka, and quick wire records."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from services.chassis.domain.entity import Entity
from services.chassis.domain.events import Event
from services.chassis.domain.scope import Actor
from services.chassis.domain.values import Sealed, now
from services.chassis.domain.words import Words
from services.chassis.messaging.kafka import Outgoing, Publisher, Reader, create_topics
from services.chassis.messaging.reactions import AnyReaction, Reaction
from services.chassis.runtime.service import Service
from services.chassis.storage.documents import load
from services.chassis.usecase import Container
from services.contracts.members.accounts import AccountOpened
from services.contracts.members.organisations import LeaderAppointed, OrganisationFounded
from services.contracts.members.people import PersonRegistered
from services.contracts.members.teams import is_team
from services.contracts.requests.case_parts import OfHandler
from services.contracts.requests.cases import CaseBooked, CaseDispatched, CaseFiled, LimitsSet
from services.notify.app import service
from services.notify.messages.model import Backoff, Message
from tests.support import consuming
from tests.support.world import World

CITY, COUNTY, STREET, COMMUNITY = "1507", "150702", "150702001", "150702001001"
RESIDENT, HANDLER, LEADER, DISPATCHER, SUPERVISOR = "person_wang", "person_li", "person_bao", "person_zhao", "person_he"
STATION, CENTRE = "organisation_station", "organisation_centre"
QUICK = Backoff((timedelta(milliseconds=1),) * 7)


async def eventually(holds: Callable[[], Awaitable[Any]], seconds: float = 15) -> Any:
    """Wait until something holds, and give what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := await holds():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come about in time")


def _wanting(event: Event) -> list[str]:
    """The reactions that want an event, by name."""
    types = [one for one in service.reactions if event.type_name() in one.types]
    return [one.name for one in types if not isinstance(one, Reaction) or one.when is None or one.when(event)]


def impatient(wanted: Service = service) -> Service:
    """The service with pauses between attempts that a test can wait for."""
    return replace(wanted, dependencies=lambda settings: {**wanted.dependencies(settings), Backoff: QUICK})


def signed_in(person: str, *roles: str) -> Actor:
    """Somebody with an account."""
    return Actor(f"account_{person}", frozenset(roles or ("resident",)), person=person)


@dataclass
class Town:
    """Notify's container, with its consumer running, and a voice for the other services."""

    world: World
    container: Container
    publisher: Publisher
    versions: Counter[str] = field(default_factory=Counter)
    handlers: dict[str, str] = field(default_factory=dict)

    def seal(self, text: str, subject: str, kind: str) -> Sealed:
        """As the other services seal."""
        return self.container.vault.seal(text, subject, kind)

    @asynccontextmanager
    async def listening(
        self, reactions: Sequence[AnyReaction] = service.all_reactions, group: str = "notify"
    ) -> AsyncIterator[Reader]:
        """A consumer with these reactions runs as in a worker, as long as the block lasts."""
        topics = [self.world.settings().topic(name) for name in service.listens_to]
        name = f"{self.world.name}.{group}"
        reader = Reader(self.world.kafka, topics, name, f"{group}-0")
        await reader.start()
        consumer = await consuming.member(self.container, reader, reactions, name)
        async with self.container.reference.held(self.container.changes):
            running = asyncio.create_task(consumer.run())
            yield reader
            consumer.finish()
            await running
        await reader.stop()

    async def born(self, *people: str, phone: str = "13800000001") -> None:
        """People with keys and phones."""
        for person in people:
            await self.container.vault.mint(person, now())
            await self.tell(person, PersonRegistered(phone=self.seal(phone, person, "phone"), area=COMMUNITY))

    async def employed(self, person: str, role: str, place: str, *organisations: str) -> None:
        """A member of staff."""
        result = AccountOpened(person_id=person, roles=[role], places=[place], organisations=list(organisations))
        await self.tell(f"account_{person}", result)

    async def peopled(self) -> None:
        """A resident and those who serve them: a station with a handler and a leader, a dispatcher, a supervisor."""
        await self.born(RESIDENT, HANDLER, LEADER, DISPATCHER, SUPERVISOR)
        await self.employed(HANDLER, "handler", COMMUNITY, STATION)
        await self.employed(DISPATCHER, "dispatcher", STREET, CENTRE)
        await self.employed(SUPERVISOR, "supervisor", COUNTY)
        founded = OrganisationFounded(kind="station", name=Words.named("胜利社区服务站"), area=COMMUNITY)
        await self.tell(STATION, founded, LeaderAppointed(leader_id=LEADER))

    async def filed(self, case: str, *more: Event, at: datetime | None = None, number: str = "261123-7K3F") -> None:
        """A case of the resident, filed, with its limits and where it went."""
        await self.keyed(case)
        await self.tell(case, self.filing(case, number), limits(at or now()), *(more or (dispatched(),)), at=at)

    async def keyed(self, *cases: str) -> None:
        """The keys of cases, as the keeper of keys keeps them."""
        for case in cases:
            await self.container.vault.mint(case, now())

    def filing(self, case: str, number: str) -> CaseFiled:
        """The events of a new case."""
        return CaseFiled(
            number=number,
            filed_at=now(),
            resident_id=RESIDENT,
            filed_by="account_person_wang",
            channel="self",
            item="GV-01",
            item_name=Words.named("路灯报修", "Street light repair"),
            system="governance",
            area=COMMUNITY,
            title=self.seal("路灯坏了", case, "title"),
            text=self.seal("三号楼前的路灯不亮", case, "text"),
            department="housing",
            tiers=["station"],
            first_response_hours=2,
            resolution_hours=16,
        )

    async def tell(self, entity: str, *events: Event, at: datetime | None = None, by: str = "somebody") -> None:
        """Let something happen elsewhere, and wait until notify has taken it in."""
        await self.publish([self.record(entity, event, at=at, by=by) for event in events])
        await self.taken(entity, events[-1])

    async def taken(self, entity: str, event: Event) -> None:
        """Wait until notify has taken in the latest of an entity."""
        newest = {"version": {"$gte": self.versions[entity]}}
        keeping = [copy.collection() for copy in service.copies if event.type_name() in copy.events]
        wanted = {(name, entity) for name in keeping} | {("seen", f"{name}|{entity}") for name in _wanting(event)}

        async def there() -> bool:
            return all([await self.container.mongo.find_one(name, {"_id": id, **newest}) for name, id in wanted])

        await eventually(there)

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Send records as the other services do."""
        assert not any(await self.publisher.send(records))

    def record(self, entity: str, event: Event, *, at: datetime | None = None, by: str = "somebody") -> Outgoing:
        """The next event of an entity, in the form of the wire; it names who has the case, as requests does."""
        if isinstance(event, CaseDispatched):
            self.handlers[entity] = event.handler_id
        if isinstance(event, OfHandler):
            event = event.model_copy(update={"handler_id": self.handlers.get(entity)})
        self.versions[entity] += 1
        kind = event.type_name()
        headers = {
            "ce_specversion": "1.0",
            "ce_id": f"{entity}:{self.versions[entity]}",
            "ce_type": kind,
            "ce_source": f"/linli/hulunbuir/{kind.split('.')[1]}",
            "ce_time": (at or now()).isoformat(),
            "ce_subject": entity,
            "ce_schema": "1",
            "ce_actor": by,
            "content-type": "application/json",
        }
        topic = self.world.settings().topic(kind.split(".")[1])
        return Outgoing(topic, entity, orjson.dumps(event.split()[0]), headers)

    async def messages(self, person: str) -> list[Message]:
        """All that was said to somebody, oldest first."""
        found = await self.container.mongo.find(
            Message.collection(), {"state.person_id": person}, sort=[("state.happened_at", 1), ("_id", 1)], limit=500
        )
        return [load(Message, document) for document in found]

    async def templates(self, person: str) -> list[str]:
        """What was said to somebody, by the names of the templates."""
        return sorted(message.template for message in await self.messages(person))

    def body(self, message: Message) -> str:
        """The words of a message."""
        text = self.container.vault.open_under(message.body, message.key_subjects(), "message-body")
        assert text is not None
        return text

    async def said(self, person: str, template: str) -> str:
        """The words that somebody got under a template, which they got once."""
        (message,) = [one for one in await self.messages(person) if one.template == template]
        await self.container.vault.ensure_keys(message.key_subjects())
        return self.body(message)


def limits(at: datetime) -> LimitsSet:
    """Limits of a case filed at an instant."""
    return LimitsSet(
        respond_by=at + timedelta(hours=2), warn_at=at + timedelta(hours=12), due_at=at + timedelta(hours=16)
    )


def dispatched(handler: str = STATION, name: str = "胜利社区服务站") -> CaseDispatched:
    """A case given to the station."""
    tier = "team" if is_team(handler) else "station"
    return CaseDispatched(tier=tier, handler_id=handler, handler_name=Words.named(name, "Shengli Station"))


def to_team(team: str, name: str) -> tuple[CaseDispatched, CaseBooked]:
    """A case given to a volunteer team that has a slot for it."""
    return dispatched(team, name), CaseBooked(handler_id=team, handler_name=Words.named(name))


async def fresh_document(container: Container, kind: type[Entity[Any]], id: str) -> dict[str, Any]:
    """A document with its history."""
    found = await container.mongo.find_one(kind.collection(), {"_id": id})
    assert found is not None
    return found


@asynccontextmanager
async def founded(world: World, wanted: Service | None = None) -> AsyncIterator[Town]:
    """A town with topics and an empty database, in which nobody listens yet."""
    topics: dict[str, str] = {name: world.settings().topic(name) for name in service.listens_to}
    await create_topics(world.kafka, topics, 1)
    container = await world.container(wanted or impatient())
    publisher = Publisher(world.kafka)
    yield Town(world, container, publisher)
    await publisher.stop()
    await container.mongo.close()


@pytest.fixture
async def town(world: World) -> AsyncIterator[Town]:
    """A town with topics, an empty database and a consumer that runs."""
    async with founded(world) as town, town.listening():
        yield town
