"""What sends, under the control of a test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from services.chassis.domain.events import Origin
from services.chassis.domain.values import now
from services.chassis.messaging.reactions import Create, Keep
from services.chassis.runtime.service import Service
from services.chassis.schedule.timers import sweep
from services.chassis.storage.documents import load
from services.chassis.usecase import Container
from services.contracts.notify.messages import MessageWritten, Via
from services.notify.app import service
from services.notify.audience.model import Person
from services.notify.channels.model import Notice, Senders, SendFailed
from services.notify.messages.model import Backoff, Message
from services.notify.messages.timers import timers
from tests.notify.conftest import QUICK
from tests.support.world import World

WANG, PHONE, ADDRESS, WORDS = "person_wang", "13812345678", "wang@example.org", "路灯已修好"
URGENT, SMS, MAIL = timers


@dataclass
class Recorder:
    """A provider that answers as told and remembers what it got."""

    answers: list[SendFailed | None] = field(default_factory=list)
    got: list[Notice] = field(default_factory=list)
    meanwhile: Callable[[], Any] | None = None

    async def send(self, notice: Notice) -> None:
        self.got.append(notice)
        if self.meanwhile is not None:
            await self.meanwhile()
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer


@dataclass
class Post:
    """A container with senders that the test controls."""

    container: Container
    sms: Recorder

    async def write(self, *channels: Via, **of: Any) -> str:
        """A message that is due now."""
        seal = self.container.vault.seal
        result = {
            "person_id": WANG,
            "template": "case-resolved",
            "language": "zh",
            "title": seal("诉求已办结", WANG, "message-title"),
            "body": seal(WORDS, WANG, "message-body"),
            "text": seal(WORDS, WANG, "message-text"),
            "because_of": "case_1:5",
            "happened_at": now(),
            "urgent": False,
            "channels": [Via.INBOX, *channels],
            **of,
        }
        cause = f"event:{result['because_of']}:tell"
        create = Create.of(Message, self.container.system_context("tell", cause), WANG, MessageWritten(**result))
        for name, write in create.writes(Origin(now(), "tell", "hulunbuir", cause, None, None)):
            await self.container.mongo.bulk(name, [write])
        return create.entity.id

    async def found(self, id: str) -> Message:
        document = await self.container.mongo.find_one(Message.collection(), {"_id": id})
        assert document is not None
        return load(Message, document)

    async def events(self, id: str) -> list[str]:
        document = await self.container.mongo.find_one(Message.collection(), {"_id": id})
        assert document is not None
        return [entry["type"].rpartition(".")[2] for entry in document["history"]]


def with_parts(**of: Any) -> Service:
    chosen: dict[type, Any] = {Backoff: QUICK, **{type(part): part for part in of.values()}}
    return replace(service, dependencies=lambda settings: {**service.dependencies(settings), **chosen})


async def opened(world: World, wanted: Service, **overrides: Any) -> Container:
    """A container that knows one person with a phone."""
    container = await world.container(wanted, **overrides)
    await container.vault.mint(WANG, now())
    person = Person(id=WANG, version=1, phone=container.vault.seal(PHONE, WANG, "phone"))
    for name, write in Keep.of(person).writes(Origin(now(), "", "", "", None, None)):
        await container.mongo.bulk(name, [write])
    return container


async def sweeps(container: Container, timer: Any, times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0.003)
        await sweep(timer, container)


@pytest.fixture
async def post(world: World) -> AsyncIterator[Post]:
    """A container whose text messages go to a recorder."""
    sms = Recorder()
    container = await opened(world, with_parts(senders=Senders({Via.SMS: sms})))
    yield Post(container, sms)
    await container.mongo.close()
