"""The brokers, as a service needs them: its topics, its groups, and the clocks of producers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from services.chassis.messaging.kafka import KEYS_TOPIC, PARTITIONS, Cluster, TopicMissing, declared
from services.chassis.operations.doctor.findings import Finding, ok, soon, wrong
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import Settings

BEHIND = 10_000
"""Beyond this lag of a group, people who wait for its effects notice."""
_AHEAD = timedelta(seconds=1)
_LEAST_IN_SYNC = "min.insync.replicas"


async def topics(cluster: Cluster, service: Service, settings: Settings) -> list[Finding]:
    """The topic of the service and that of the keys: they exist and are configured correctly."""
    found = [f for short in (service.name, KEYS_TOPIC) for f in await _topic(cluster, short, settings)]
    return found or [ok("topics", f"{settings.topic(service.name)} and {settings.topic(KEYS_TOPIC)} are as declared")]


async def _topic(cluster: Cluster, short: str, settings: Settings) -> list[Finding]:
    name, replicas = settings.topic(short), settings.topic_replicas
    try:
        topic = await cluster.topic(name)
    except TopicMissing:
        return [wrong("topics", f"{name} is missing", _lost(short, name))]
    found = [_setting(name, key, topic.configuration, value) for key, value in declared(short).items()]
    if replicas > 2 and int(topic.configuration[_LEAST_IN_SYNC]) < 2:
        found.append(_setting(name, _LEAST_IN_SYNC, topic.configuration, "2"))
    if topic.partitions != PARTITIONS:
        said = f"{name} has {topic.partitions} partitions, {PARTITIONS} are needed: events are on the wrong ones"
        found.append(wrong("topics", said, "stop the workers, delete the topic, then " + _lost(short, name)))
    if topic.replicas < replicas:
        advice = f"kafka-reassign-partitions: give each partition of {name} {replicas} replicas"
        found.append(
            wrong("topics", f"{name} has {topic.replicas} copies, LINLI_TOPIC_REPLICAS says {replicas}", advice)
        )
    if topic.in_sync < topic.replicas:
        said = f"{name}: {topic.in_sync} of {topic.replicas} copies are in sync"
        found.append(wrong("topics", said, "find the broker that is down, and start it"))
    return [finding for finding in found if finding]


def _lost(short: str, name: str) -> str:
    """How to restore a topic."""
    if short == KEYS_TOPIC:
        return f"linli migrate makes {name}; earlier keys are then only in services that have read them"
    return f"linli republish --service {short} --all --lost --yes"


def _setting(name: str, key: str, known: Mapping[str, str], wanted: str) -> Finding | None:
    if known.get(key) == wanted:
        return None
    alter = f"kafka-configs --alter --entity-type topics --entity-name {name} --add-config {key}={wanted}"
    return wrong("topics", f"{name} has {key}={known.get(key)}, not {wanted}", alter)


async def groups(cluster: Cluster, service: Service, settings: Settings) -> list[Finding]:
    """The consumers of the service, and their lag."""
    names: dict[str, tuple[str, ...]] = {}
    if service.all_reactions:
        names[settings.group(service.name)] = service.listens_to
    if not service.mints_keys:
        names[f"{settings.group(service.name)}.keys"] = (KEYS_TOPIC,)
    return [await _group(cluster, name, heard, service, settings) for name, heard in names.items()]


async def _group(cluster: Cluster, name: str, heard: Sequence[str], service: Service, settings: Settings) -> Finding:
    group, confirmed = await cluster.group(name), await cluster.committed(name)
    try:
        ends = {place: end for topic in heard for place, end in (await cluster.ends(settings.topic(topic))).items()}
    except TopicMissing as missing:
        return wrong("groups", f"{name}: {missing}", "linli migrate")
    lag = sum(max(0, end - confirmed.get(place, 0)) for place, end in ends.items())
    said = f"{name}: {group.members} members, {lag:,} records behind"
    if not group.members:
        return wrong("groups", said, f"see whether {service.name}-worker runs: linli status")
    return soon("groups", said, "start more workers, or wait") if lag > BEHIND else ok("groups", said)


async def timestamps(cluster: Cluster, service: Service, settings: Settings) -> list[Finding]:
    """Whether a record of the service's own topic is in the future: then its worker's clock, or ours, is wrong."""
    ends = await cluster.ends(settings.topic(service.name))
    later = await cluster.at(datetime.now(UTC) + _AHEAD, ends)
    ahead = sorted(place for place, offset in later.items() if offset < ends[place])
    if ahead:
        said = f"{len(ahead)} partitions of {settings.topic(service.name)} have records with a time in the future"
        return [wrong("timestamps", said, f"let NTP set the clocks of this machine and of {service.name}-worker's")]
    return [ok("timestamps", "no record has a time in the future")]
