"""Faults that come by the topic: records that cannot be read, do not fit, or come from the future."""

from collections.abc import Mapping
from typing import Any

import orjson

from deploy.cli.parking import Found, Lots, Wanted, drop_because
from services.chassis.messaging.kafka import Outgoing, Publisher
from services.contracts.requests.cases import CaseFiled
from tests.faults.trial import Fault, Trial
from tests.faults.verdict import PLANTED

_TYPE = CaseFiled.type_name()


def _headers(entity: str, version: int, **more: str) -> Mapping[str, str]:
    known = {"ce_id": f"{entity}:{version}", "ce_type": _TYPE, "ce_schema": "1", "ce_actor": "nobody"}
    return {**known, "ce_time": "2026-11-23T08:00:00+00:00", **more}


async def _put(trial: Trial, *records: tuple[str, Any, Mapping[str, str]]) -> None:
    """As with the console producer: it is on the topic, and in no history, as L5 has to say from now on."""
    topic = f"{trial.stack.environment('requests', 'worker')['LINLI_TOPIC_PREFIX']}.requests.v1"
    publisher = Publisher(trial.stack.kafka)
    sent = [
        Outgoing(topic, key, value if isinstance(value, bytes) else orjson.dumps(value), headers)
        for key, value, headers in records
    ]
    if any(await publisher.send(sent)):
        raise RuntimeError("a record was not taken")
    await publisher.stop()
    trial.planted["requests"] += len(records)


async def _dropped(trial: Trial, least: int) -> str:
    """Wait until at least this many are parked, then drop all of them, as an operator does; returns their numbers."""
    lots, found = Lots.of(trial.stack), list[Found]()

    async def parked() -> bool:
        found[:] = await lots.find(Wanted())
        return len(found) >= least

    await trial.until(parked, 60, f"{least} parked events")
    left = await lots.mark(found, drop_because("planted by a fault"), 60, lambda _: None)
    await lots.close()
    if left:
        raise RuntimeError(f"{len(left)} parked events were not dropped")
    return f"parked and dropped: {', '.join(sorted({one.reaction for one in found}))} ({len(found)})"


async def poison(trial: Trial) -> str:
    """One that is none of ours, and one whose fields are wrong with a follower that has to wait behind it."""
    entity = f"case_{PLANTED}{trial.chance.getrandbits(32):x}"
    await _put(
        trial,
        (f"{PLANTED}-unreadable", b"\xff\x00 not JSON", {}),
        (entity, {"item": 7}, _headers(entity, 1)),
        (entity, {"item": 8}, _headers(entity, 2)),
    )
    return await _dropped(trial, 3)


async def future(trial: Trial) -> str:
    """An event in a shape that nobody here knows yet, and one of a type that nobody knows."""
    entity, other = (f"case_{PLANTED}{trial.chance.getrandbits(32):x}" for _ in range(2))
    await _put(
        trial,
        (entity, {"recast": True}, _headers(entity, 1, ce_schema="99")),
        (other, {"of": "tomorrow"}, _headers(other, 1, ce_type="linli.requests.CaseDreamt")),
    )
    return await _dropped(trial, 1)


FAULTS = (
    Fault("poison", "unreadable and unfit events", poison),
    Fault("future", "an event of a newer schema, an unknown type", future),
)
