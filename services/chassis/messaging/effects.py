"""Effects: what a reaction wants written because of an event, measured, written for a batch at once and reported."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime

from services.chassis.domain.events import Origin
from services.chassis.messaging.delivered import Delivered
from services.chassis.messaging.reactions import AnyReaction, Effect, Handled, Keep, in_stages
from services.chassis.storage import copy_reads
from services.chassis.storage.mongo import Document
from services.chassis.telemetry import logs, metrics, tracing
from services.chassis.usecase import Container

log = logs.get()

Done = Sequence[tuple[Delivered, Sequence[Effect]]]
"""Events that were handled, each with its effects."""


async def of(reaction: AnyReaction, handled: Handled, event: Delivered) -> Sequence[Effect]:
    """The effects of one event; how long that took is measured."""
    outcome, start = "failed", time.perf_counter()
    with tracing.span_because_of(f"reaction {reaction.name}", event.trace):
        try:
            effects = await handled(event)
            outcome = "applied" if effects else "done"
            return effects
        finally:
            metrics.reaction_seconds.labels(reaction.name, outcome).observe(time.perf_counter() - start)


async def write(container: Container, reaction: AnyReaction, done: Done) -> None:
    """Write the effects of a batch, each collection at once. Unavailable, DatabaseRefused.

    Copies that were written need not be read again in this batch; where one was there at a newer version, all are.
    """
    newest = {effect.target: effect for _, effects in done for effect in effects}
    by_event = [
        [
            write
            for effect in effects
            if newest[effect.target] is effect
            for write in effect.writes(_origin(container, reaction, event))
        ]
        for event, effects in done
    ]
    copies = defaultdict[str, list[Document]](list)
    for effect in newest.values():
        if isinstance(effect, Keep):
            copies[effect.kind.collection()].append(effect.document)
    for collection, writes in in_stages(by_event):
        had_effect = await container.mongo.bulk(collection, writes) == len(writes)
        container.reference.forget(collection)
        if had_effect:
            copy_reads.note_written(collection, copies[collection])


def _origin(container: Container, reaction: AnyReaction, event: Delivered) -> Origin:
    cause = f"event:{event.id}:{reaction.name}"
    return Origin(container.clock(), reaction.name, container.city, cause, None, event.trace)


def report(reaction: AnyReaction, done: Done, at: datetime) -> None:
    """Report effects that were written at this time: a log line for each event, its age, the events recorded."""
    age, recorded = metrics.event_age.labels(reaction.name), Counter[str]()
    for event, effects in done:
        with tracing.bound(event.trace):
            log.info("an event had its effect", reaction=reaction.name, event_id=event.id, writes=len(effects))
        age.observe((at - event.at).total_seconds())
        recorded.update(each.type_name() for effect in effects for each in effect.recorded())
    for type, count in recorded.items():
        metrics.events_recorded.labels(type).inc(count)
