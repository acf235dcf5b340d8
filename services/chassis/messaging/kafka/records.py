"""Records as they are sent and read, and their errors."""

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import KafkaError

PARTITIONS = 12
SECONDS = 10.0
MS = 10_000


class BrokerAway(Exception):
    """The broker cannot be reached or does not answer in time."""


class Unsendable(Exception):
    """The broker will never accept this record."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to send."""

    topic: str
    key: str
    value: bytes | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record that was read."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None
    headers: dict[str, str]


def incoming(record: Any) -> Incoming:
    """The library's record as ours."""
    # Other producers may send anything: no value, or names that the database does not accept.
    headers = {name.replace("\0", "\ufffd"): (value or b"").decode(errors="replace") for name, value in record.headers}
    key = (record.key or b"").decode(errors="replace")
    return Incoming(record.topic, record.partition, record.offset, key, record.value, headers)


async def in_time(work: Awaitable[Any]) -> Any:
    """Its result; BrokerAway if it fails or takes more than ten seconds."""
    try:
        async with asyncio.timeout(SECONDS):
            return await work
    except (TimeoutError, KafkaError) as error:
        raise BrokerAway(str(error) or "no answer in time") from error


async def within(seconds: float, work: Awaitable[Any]) -> None:
    """Close something, but wait no longer than this."""
    with suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(seconds):
            await work
