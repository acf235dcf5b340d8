"""The consumer groups of the services: databases, offsets, and desired states."""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from deploy.local import Stack, Trouble
from services.chassis.domain.checks import TopicPartition
from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging import control
from services.chassis.messaging.control import DesiredState
from services.chassis.messaging.kafka import BrokerAway, TopicMissing, TopicReader
from services.chassis.storage.mongo import Mongo, connect

LISTENERS = ("requests", "notify")
"""The services that consume events."""

T = TypeVar("T")


def operator() -> str:
    """The user of this machine."""
    return f"operator {getpass.getuser()}"


@dataclass(frozen=True)
class Group:
    """The consumer group of one service."""

    service: str
    name: str
    mongo: Mongo
    past: TopicReader

    async def desired(self) -> DesiredState:
        """The desired state of the group."""
        return await control.desired_state(self.mongo, self.name)

    async def committed(self) -> dict[TopicPartition, int]:
        """Its committed offsets."""
        return await self.past.committed(self.name)

    async def ends(self) -> dict[TopicPartition, int]:
        """The end offsets of the topics that it reads; none before its first worker has run."""
        topics = (await self.desired()).topics
        return {place: end for topic in topics for place, end in (await self.past.ends(topic)).items()}

    async def lag(self) -> int | None:
        """How many records are not committed yet; None before its first worker has run."""
        confirmed, ends = await self.committed(), await self.ends()
        return sum(max(0, end - confirmed.get(place, 0)) for place, end in ends.items()) if ends else None

    async def target(self, to: str) -> dict[TopicPartition, int]:
        """The offsets for ``earliest``, ``latest``, or a time (ISO 8601); Trouble for anything else.

        Trouble also before its first worker has run: there is no position yet that could be reset.
        """
        ends = await self.ends()
        if not ends:
            raise Trouble(f"No worker of {self.service} has run yet: start the workers, then reset.")
        if to in ("earliest", "latest"):
            return ends if to == "latest" else dict.fromkeys(ends, 0)
        try:
            at = datetime.fromisoformat(to).astimezone()
        except ValueError:
            raise Trouble(f"--to {to!r}: say earliest, latest, or a time such as 2026-11-24T08:00.") from None
        return await self.past.at(at, ends)


def ask(stack: Stack, service: str, work: Callable[[Group], Awaitable[T]]) -> T:
    """The result of an operation on the group of one service; Trouble without its database or the broker."""
    if service not in LISTENERS:
        raise Trouble(f"{service!r} has no consumer: choose one of {', '.join(LISTENERS)}.")
    try:
        return asyncio.run(_with_group(stack, service, work))
    except (Unavailable, BrokerAway, TopicMissing) as error:
        raise Trouble(f"Database or broker do not answer ({error}): see `linli status`.") from error


async def _with_group(stack: Stack, service: str, work: Callable[[Group], Awaitable[T]]) -> T:
    prefix = stack.environment(service, "worker")["LINLI_TOPIC_PREFIX"]
    mongo = connect(stack.signed_in[service])
    async with AsyncExitStack() as opened:
        opened.push_async_callback(mongo.close)
        past = await opened.enter_async_context(TopicReader(stack.kafka).open())
        return await work(Group(service, f"{prefix}.{service}", mongo, past))


def running_stack() -> Stack:
    """The stack of this environment."""
    return Stack.of(os.environ)
