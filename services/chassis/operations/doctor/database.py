"""The database of a service: its clock and indexes, and what is pending, paused or unfinished in it."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from services.chassis.domain.entity import Stored
from services.chassis.domain.texts import Texts
from services.chassis.messaging import control, dropped
from services.chassis.messaging.switches import OPERATOR, WAITING, Switch
from services.chassis.operations.doctor.findings import Finding, ok, soon, wrong
from services.chassis.operations.ledger.lag import parked_by_reaction
from services.chassis.operations.ledger.rebuild import COLLECTION as REBUILDS
from services.chassis.runtime.service import Service
from services.chassis.runtime.texts import load
from services.chassis.storage import migrations
from services.chassis.storage.mongo import Keys, Mongo

SKEW = timedelta(seconds=1)
"""If clocks differ by more, leases, due times and the order of events are not reliable."""
LATEST = timedelta(seconds=30)
"""An event that waits longer to be published is overdue."""
LEAST_MONGOD = 6
_MOST = 100_000


async def server(mongo: Mongo) -> list[Finding]:
    """Version and clock; this also shows whether it answers."""
    before = datetime.now(UTC)
    hello = await mongo.command("hello")
    after = datetime.now(UTC)
    version = str((await mongo.command("buildInfo"))["version"])
    said = f"mongod {version}, replica set {hello.get('setName', 'none')}"
    if int(version.partition(".")[0]) < LEAST_MONGOD or "setName" not in hello:
        return [wrong("database", said, f"run MongoDB {LEAST_MONGOD} or later, as a replica set")]
    return [ok("database", said), skewed(before, hello["localTime"].replace(tzinfo=UTC), after)]


def skewed(before: datetime, theirs: datetime, after: datetime) -> Finding:
    """How far another clock is from ours, if it was read between these two instants."""
    ahead = max(theirs - after, before - theirs, timedelta(0))
    said = f"it differs from the database's by {ahead.total_seconds():.1f} s at least"
    if ahead > SKEW:
        return wrong("clock", said, "let NTP set the clocks of both machines")
    return ok("clock", "it is the database's, within a second")


async def indexes(mongo: Mongo, kinds: Iterable[type[Stored]], sharded: Collection[str]) -> list[Finding]:
    """The declared indexes, and unknown ones; ``sharded``: the collections in which none is unique."""
    wanted: dict[str, set[Keys]] = {}
    for name, index in migrations.declared(kinds, sharded):
        wanted.setdefault(name, {(("_id", 1),)}).add(index.keys)
    missing = await migrations.missing(mongo, kinds, sharded)
    there = {name: await mongo.indexes(name) for name in wanted}
    strange = [_named(name, keys) for name, all_ in there.items() for keys in all_ if keys not in wanted[name]]
    found = []
    if missing:
        found.append(wrong("indexes", f"missing: {', '.join(sorted(missing))}", "linli migrate"))
    if strange:
        said = f"not ours: {', '.join(sorted(strange))}"
        found.append(soon("indexes", said, "drop those that are not needed: each slows every write"))
    return found or [ok("indexes", f"{sum(map(len, wanted.values())) - len(wanted)} as declared")]


def _named(name: str, keys: Iterable[tuple[str, int]]) -> str:
    return f"{name}({', '.join(key for key, _ in keys)})"


async def relay(mongo: Mongo, service: Service) -> list[Finding]:
    """What waits to be published, and what cannot be published."""
    names = [kind.collection() for kind in service.entities]
    stuck = [d["_id"] for n in names for d in await mongo.find(n, {"stuck": {"$exists": True}}, show=_ID, limit=5)]
    pending = sum([await mongo.count(n, {"pending": {"$exists": True}}, limit=_MOST) for n in names])
    oldest = min([at for n in names if (at := await _oldest(mongo, n))], default=None)
    found = []
    if stuck:
        said = f"their events cannot be sent: {', '.join(stuck)}"
        found.append(wrong("relay", said, f"linli verify says why; repair them, then unset `stuck` in {service.name}"))
    if oldest and datetime.now(UTC) - oldest > LATEST:
        said = f"{pending} entities wait to be published, since {oldest.astimezone():%Y-%m-%d %H:%M:%S}"
        found.append(wrong("relay", said, f"check broker and worker: linli logs {service.name}-worker"))
    return found or [ok("relay", f"{pending} entities wait to be published, none for longer than expected")]


_ID = {"_id": 1}


async def _oldest(mongo: Mongo, name: str) -> datetime | None:
    waiting = {"pending": {"$exists": True}, "stuck": {"$exists": False}}
    found = await mongo.find(name, waiting, show={"pending": 1}, sort=[("pending", 1)], limit=1)
    return found[0]["pending"] if found else None


async def parked(mongo: Mongo) -> list[Finding]:
    """Events that wait for an operator."""
    waiting = await parked_by_reaction(mongo)
    gone = await mongo.count(dropped.COLLECTION, {}, limit=_MOST)
    if waiting:
        counts = ", ".join(f"{count} for {reaction}" for reaction, count in sorted(waiting.items()))
        return [wrong("parked", counts, "linli parked list says why; then linli parked replay, or drop")]
    return [ok("parked", f"none; {gone} dropped so far")]


async def consumer(mongo: Mongo, group: str, service: Service) -> list[Finding]:
    """Whether the consumer runs, and which reactions are on; nothing for a service without reactions."""
    if not service.all_reactions:
        return []
    desired = await control.desired_state(mongo, group)
    resume = f"linli consumer resume {service.name}"
    texts = load(service.texts)
    found = [_reaction(switch, texts) for switch in desired.switches.values() if not switch.on]
    if desired.state == control.STOPPED:
        found.append(wrong("consumer", f"stopped: {texts.explained(desired.reason)}", f"fix that, then {resume}"))
    elif desired.state == control.PAUSED:
        found.append(soon("consumer", f"paused by {desired.by}: {desired.reason}", resume))
    return found or [ok("consumer", "runs, all reactions are on")]


def _reaction(switch: Switch, texts: Texts) -> Finding:
    reason = texts.explained(switch.reason)
    said = f"{switch.name} is {switch.state} since {switch.since.astimezone():%Y-%m-%d %H:%M}"
    if switch.state == WAITING:
        return soon("reactions", f"{said}: {reason}", "it starts together with the copy that it waits for")
    if switch.positions is not None:
        level = soon if switch.by.startswith(OPERATOR) else wrong
        return level("reactions", f"{said}: {reason}", f"fix that, then linli reactions start {switch.name}")
    advice = f"linli backfill {switch.name} processes past events, linli reactions start --from-now skips them"
    if switch.reason:
        return soon("reactions", f"{said}: {reason}", advice)
    return wrong("reactions", f"{said}: it is new, and does not process events yet", advice)


async def leases(mongo: Mongo, service: Service) -> list[Finding]:
    """The holders of leases; relay and timers must have one."""
    held = {d["_id"]: d for d in await mongo.find("leases", {}, sort=[("_id", 1)], limit=1000)}
    needed = ["relay", *(["timers"] if service.timers or service.periodic else [])]
    nobody = [name for name in needed if name not in held or _over(held[name])]
    if nobody:
        advice = f"see whether {service.name}-worker runs: linli status"
        return [wrong("leases", f"no worker has {', '.join(nobody)}", advice)]
    return [ok("leases", ", ".join(_holder(lease) for name, lease in held.items() if not _over(lease)))]


def _over(lease: Mapping[str, Any]) -> bool:
    return bool(lease["until"] < datetime.now(UTC))


def _holder(lease: Mapping[str, Any]) -> str:
    return f"{lease['_id']}: {lease['holder']} until {lease['until'].astimezone():%H:%M:%S}"


async def unfinished(mongo: Mongo) -> list[Finding]:
    """Rebuilds that began and have not ended."""
    begun = [d["_id"] for d in await mongo.find(REBUILDS, {}, limit=100)]
    found = [soon("rebuild", f"of {kind} was not finished", f"linli rebuild {kind} --yes continues") for kind in begun]
    return found or [ok("unfinished", "no rebuild")]
