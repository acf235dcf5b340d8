"""Sending: in order and to all replicas, or known to have failed."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError

from services.chassis.messaging.kafka.records import MS, SECONDS, BrokerAway, Outgoing, Unsendable, within

_ITS_OWN = (MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError)


class Publisher:
    """Sends records in order and waits for all replicas. After any error its producer is discarded.

    A failed idempotent producer never resets its sequence numbers: continuing with it poisons the partition.
    """

    def __init__(self, brokers: str) -> None:
        self._brokers = brokers
        self._producer: AIOKafkaProducer | None = None

    async def send(self, records: Sequence[Outgoing]) -> list[BaseException | None]:
        """Send all, in order. For each: None once every replica has it, else its error. Raises BrokerAway.

        After a record that fails, no further record of its key is sent. Only Unsendable is the record's own fault.
        """
        producer = await self._started()
        waiting: dict[int, Awaitable[Any]] = {}
        refused: dict[str, BaseException] = {}
        for place, record in enumerate(records):
            try:
                if record.key not in refused:
                    waiting[place] = await self._enqueue(producer, record)
            except Unsendable as error:
                refused[record.key] = error
        lost = await self._acknowledged(waiting)
        return [lost[p] if p in waiting else refused[record.key] for p, record in enumerate(records)]

    async def stop(self) -> None:
        """Send what is pending and close, within five seconds."""
        await self._discard(5)

    async def _acknowledged(self, waiting: Mapping[int, Awaitable[Any]]) -> dict[int, BaseException | None]:
        try:
            async with asyncio.timeout(SECONDS * 3):
                outcomes = await asyncio.gather(*waiting.values(), return_exceptions=True)
        except TimeoutError:
            await self._discard()
            raise BrokerAway("no acknowledgement in time") from None
        failed = {place: _fault(outcome) for place, outcome in zip(waiting, outcomes, strict=True)}
        if any(failed.values()):
            await self._discard()
        return failed

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._brokers,
                acks="all",
                enable_idempotence=True,
                linger_ms=2,
                compression_type="lz4",
                request_timeout_ms=MS,
            )
            try:
                async with asyncio.timeout(SECONDS):
                    await producer.start()
            except (TimeoutError, KafkaError) as error:
                await within(2, producer.stop())
                raise BrokerAway(str(error)) from error
            self._producer = producer
        return self._producer

    async def _enqueue(self, producer: AIOKafkaProducer, record: Outgoing) -> Awaitable[Any]:
        headers = [(name, value.encode()) for name, value in record.headers.items()]
        try:
            async with asyncio.timeout(SECONDS):
                future: Awaitable[Any] = await producer.send(
                    record.topic, record.value, key=record.key.encode(), headers=headers
                )
        except MessageSizeTooLargeError as error:
            raise Unsendable(str(error)) from None
        except (TimeoutError, KafkaError) as error:
            await self._discard()
            raise BrokerAway(f"the record was not taken: {error}") from None
        return future

    async def _discard(self, seconds: float = 1) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await within(seconds, producer.stop())


def _fault(outcome: Any) -> BaseException | None:
    """The result of an acknowledgement: no error, an error of the record, or one of the broker (like every other
    error)."""
    if not isinstance(outcome, BaseException):
        return None
    kind = Unsendable if isinstance(outcome, _ITS_OWN) else BrokerAway
    return kind(f"{type(outcome).__name__}: {outcome}")
