"""Turning reactions on and off: one reaction alone, in one update, without a gap and without a duplicate effect.

The switches are part of the document that says what is asked of the group (``control``). A member reads it in one
piece, so it never delivers with the switches of another order than the one that it obeys.

*Off.* A member (when a reaction fails too often) or an operator turns a reaction off. It first asks the broker for the
committed offsets of the group. Then it writes *off* and these offsets in one update; reactions that read its copy wait
from the same offsets. A member confirms nothing between the failure and this update, and gives back the batch in hand.
Why this loses nothing:

- An offset is confirmed after the effects of all reactions that are on. The offsets are asked for while the reaction is
  on, so it has had its effects before each of them, on the partitions of every member.
- Other members learn of the change a moment later. Until then they deliver with the reaction on: its effects run
  ahead of the offsets, and catching up recognises them, by memory, cause and version.
- Who is given a partition reads the switches again before it takes anything of it. Otherwise a member that believes
  the reaction to be on could go on behind records that another one has confirmed without it, and the memory would hide
  these for good. (The model found this: `python -m tests.model`.)
- A second member on which it fails at the same time finds it off and changes nothing: the first offsets stay.

Offsets that are too low cost time, offsets that are too high would be a hole. So they are never asked for after the
update: other members may have confirmed without the reaction by then. They only rise by ``advance``, after effects
and memory.

*On.* Catching up (``operations.backfill``) reads from these offsets. The last stretch it reads while the group is
paused and nothing more is confirmed; turning on is refused where the order has changed since, because then the group
may have gone on.
"""

from collections.abc import Callable, Mapping, Sequence

from services.chassis.domain.checks import TopicPartition
from services.chassis.domain.values import now
from services.chassis.messaging import switches
from services.chassis.messaging.control import COLLECTION, DesiredState, desired_state
from services.chassis.messaging.reactions import AnyReaction
from services.chassis.messaging.switches import Offsets, Switch, Switches
from services.chassis.storage.mongo import Document, Mongo


async def register(mongo: Mongo, group: str, reactions: Sequence[AnyReaction], confirmed: Offsets) -> None:
    """Note the reactions of this version; ``confirmed`` by the group so far, empty where it has read nothing."""
    await _change(mongo, group, lambda known: switches.met(known, reactions, confirmed))


async def turn_off(mongo: Mongo, group: str, reasons: Mapping[str, str], by: str, confirmed: Offsets) -> list[str]:
    """Turn reactions off, each for its reason; those that are off now or wait because of it, none where all were off.

    ``confirmed`` by the group, as the broker said before this call and while they were on.
    """
    return sorted(await _change(mongo, group, lambda known: switches.off(known, reasons, by, confirmed)))


async def turn_on(mongo: Mongo, group: str, names: Sequence[str], order: int, begins: Offsets | None = None) -> bool:
    """Turn reactions on that have caught up; ``begins`` where they leave out what lies before. False, and nothing is
    changed, where another order than ``order`` counts by now.
    """
    known = (await desired_state(mongo, group)).switches
    return await _write(mongo, group, order, {name: known[name].turned_on(begins) for name in names})


async def advance(mongo: Mongo, group: str, name: str, place: TopicPartition, offset: int) -> None:
    """A reaction that catches up has had its effects, and remembers them, before this offset of a partition."""
    reached = {f"reactions.{name}.positions.{switches.key(place)}": offset}
    await mongo.update(COLLECTION, {"_id": group}, {"$max": reached})


async def _change(mongo: Mongo, group: str, change: Callable[[Switches], dict[str, Switch]]) -> dict[str, Switch]:
    """Change what is there, again where somebody else was first; what was changed."""
    await mongo.update(COLLECTION, {"_id": group}, {"$setOnInsert": {"order": 0}}, upsert=True)
    while True:
        desired: DesiredState = await desired_state(mongo, group)
        changed = change(desired.switches)
        if not changed or await _write(mongo, group, desired.order, changed):
            return changed


async def _write(mongo: Mongo, group: str, order: int, changed: Switches) -> bool:
    fields: Document = {f"reactions.{name}": switch.stored() for name, switch in changed.items()}
    where: Document = {"_id": group, "order": order or {"$in": [0, None]}}
    return await mongo.update(COLLECTION, where, {"$set": {**fields, "at": now()}, "$inc": {"order": 1}}) == 1
