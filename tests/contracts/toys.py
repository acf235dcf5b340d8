"""An entity and a copy for whom the chassis writes what it writes for every one, and what it takes to let it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

from services.chassis.domain.entity import Copy, Entity
from services.chassis.domain.events import Event, Origin, Recorded
from services.chassis.domain.values import Private
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.kafka import Incoming
from services.chassis.messaging.outgoing import Address
from services.chassis.messaging.reactions import Create, Effect, Keep, Reaction
from services.chassis.runtime.texts import load
from services.chassis.storage.change_notifier import ChangeNotifier
from services.chassis.storage.documents import draft
from services.chassis.storage.master_key import MasterKey
from services.chassis.storage.reference import Reference
from services.chassis.storage.revocations import Revocations
from services.chassis.storage.vault import Vault
from services.chassis.usecase import Container, Context
from tests.contracts.noting import Noting

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ORIGIN = Origin(AT, "actor", "city", "cause", "fingerprint", "trace")
MASTER = MasterKey(bytes(32), "city")


class ToyMoved(Event):
    """A toy was moved."""

    schema_version = 2

    to: str
    why: Annotated[str, Private] = ""


class Toy(Entity[ToyMoved]):
    """Something that is moved about."""

    entity_type = "toy"

    to: str

    def apply(self, event: ToyMoved) -> None:
        """It is there now."""
        self.to = event.to


class ToyCopy(Copy[ToyMoved]):
    """What another service knows of it."""

    entity_type = "toy"
    creates = (ToyMoved,)

    to: str = ""


MOVED = ToyMoved(to="there", why="so")


def moved() -> Toy:
    """A toy to which something has happened that is not written yet."""
    toy = Toy.blank("toy_1")
    toy.record(MOVED)
    return toy


def document() -> dict[str, Any]:
    """A toy as it is stored first."""
    return draft(moved(), ORIGIN)


def delivered() -> Delivered:
    """Its event, as another service receives it."""
    sent = Address("linli.toys.v1", "/linli/city/toys").record(Recorded.load(document()["history"][0]))
    return Delivered.of(Incoming(sent.topic, 0, 7, sent.key, sent.value, dict(sent.headers)))


@dataclass
class Acting:
    """A house whose use cases tell under which cause they run."""

    mongo: Noting = field(default_factory=Noting)
    causes: list[str] = field(default_factory=list)

    @property
    def container(self) -> Container:
        """The container of the toy service."""
        vault, changes = Vault(self.mongo, MASTER), ChangeNotifier(self.mongo)
        reference, revocations = Reference(self.mongo), Revocations(self.mongo, (), lambda: AT)
        return Container("toys", "city", self.mongo, vault, lambda: AT, {}, load(), changes, reference, revocations)

    def reaction(self) -> Reaction:
        """One that makes a toy and keeps a copy."""

        async def handle(ctx: Context, _: Delivered, event: Any) -> Sequence[Effect]:
            self.causes.append(ctx.cause)
            return [Create.of(Toy, ctx, "part", event), Keep.of(ToyCopy(id="toy_1", version=1))]

        return Reaction("react", {ToyMoved.type_name(): ToyMoved}, handle)

    async def tick(self, ctx: Context, _: str) -> None:
        """What a timer runs."""
        self.causes.append(ctx.cause)
