"""Checks that relay and consumers reach the cut in time, and that the gauges are right (L9)."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from services.chassis.domain.checks import CheckResult, TopicPartition
from services.chassis.messaging import parking
from services.chassis.messaging.kafka import MOST_READ, TopicReader
from services.chassis.messaging.switches import Switch
from services.chassis.operations.answering import CannotAnswer, Say
from services.chassis.storage.mongo import Mongo

_LOOK_SECONDS = 0.25
_SETTLE_SECONDS = 1.5  # longer than an idle loop of a worker takes, with its look at the desired state
_IN_HAND = 2 * MOST_READ  # a worker has at most this many records read and not committed: those of two polls
_CHUNK = 500


class Unanswered(CannotAnswer):
    """A worker does not serve its metrics."""


async def published_in_time(
    mongo: Mongo, waiting: Sequence[tuple[str, str, int]], within: float, say: Say
) -> CheckResult:
    """Whether what waited for the relay (collection, id, version) is published within ``within`` seconds."""
    line, give_up = CheckResult("L9", "relay"), time.monotonic() + within
    line.count("entities waited for", len(waiting))
    while waiting := await _unpublished(mongo, waiting):
        if time.monotonic() > give_up:
            break
        say(f"{len(waiting)} entities are waiting for the relay")
        await asyncio.sleep(_LOOK_SECONDS)
    for _, id, version in waiting:
        line.breach(f"{id}:{version} is not published after {within:g} s")
    return line


async def _unpublished(mongo: Mongo, waiting: Sequence[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    left = []
    for start in range(0, len(waiting), _CHUNK):
        chunk = waiting[start : start + _CHUNK]
        published: dict[str, int] = {}
        for name in {name for name, _, _ in chunk}:
            among = {"_id": {"$in": [id for collection, id, _ in chunk if collection == name]}}
            found = await mongo.find(name, among, show={"published": 1}, limit=len(chunk))
            published.update({document["_id"]: document["published"] for document in found})
        left += [entry for entry in chunk if published.get(entry[1], 0) < entry[2]]
    return left


async def consumed_in_time(
    past: TopicReader, group: str, cut: Mapping[TopicPartition, int], within: float, say: Say
) -> tuple[dict[TopicPartition, int], CheckResult]:
    """(committed offsets, at most up to the cut; whether all were reached within ``within`` seconds)."""
    line, give_up = CheckResult("L9", group), time.monotonic() + within
    line.count("records before the cut", sum(cut.values()))
    while True:
        confirmed = await past.committed(group)
        reached = {place: min(end, confirmed.get(place, 0)) for place, end in cut.items()}
        behind = {place: end - reached[place] for place, end in cut.items() if reached[place] < end}
        if not behind or time.monotonic() > give_up:
            break
        say(f"{group} is {sum(behind.values())} records behind the cut")
        await asyncio.sleep(_LOOK_SECONDS)
    for (topic, partition), records in behind.items():
        line.breach(f"{topic}-{partition} is {records} records behind the cut after {within:g} s")
    return reached, line


def waiting(switches: Sequence[Switch], cut: Mapping[TopicPartition, int]) -> CheckResult:
    """The reactions that are not on: known, so no breach.

    Of each the position, as the number of records before the cut that it has taken, and how many it has not taken.
    """
    line = CheckResult("L9", "reactions")
    line.count("on", sum(switch.on for switch in switches))
    for switch in switches:
        if not switch.on:
            behind = switch.behind(cut)
            line.count(f"is the position since which {switch.name} is {switch.state}", sum(cut.values()) - behind)
            line.count(f"records that {switch.name} waits with", behind)
    return line


@dataclass(frozen=True, slots=True)
class Truth:
    """What the gauges should show, according to broker and database at one moment."""

    ends: Mapping[TopicPartition, int]
    confirmed: Mapping[TopicPartition, int]
    parked: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the gauges of all workers of a service show."""

    lag: Mapping[TopicPartition, float]
    parked: Mapping[str, float]


class Gauges:
    """The gauges of a service's workers, compared with broker and database."""

    def __init__(
        self, mongo: Mongo, past: TopicReader, group: str, topics: Sequence[str], workers: Sequence[str]
    ) -> None:
        self._mongo, self._past, self._group, self._topics, self._workers = mongo, past, group, topics, workers

    async def agree(self, within: float) -> CheckResult:
        """Whether they agree; repeated for ``within`` seconds, because a busy system moves on meanwhile."""
        line, give_up = CheckResult("L9", "gauges"), time.monotonic() + within
        before = await self._truth()
        while True:
            await asyncio.sleep(_SETTLE_SECONDS)
            shown, after = await self._shown(), await self._truth()
            wrong = contradictions(before, shown, after)
            if not wrong or time.monotonic() > give_up:
                break
            before = after
        line.count("lag shown", int(sum(shown.lag.values())))
        line.count("parked shown", int(sum(shown.parked.values())))
        for sentence in wrong:
            line.breach(sentence)
        return line

    async def _truth(self) -> Truth:
        ends: dict[TopicPartition, int] = {}
        for topic in self._topics:
            ends |= await self._past.ends(topic)
        confirmed = await self._past.committed(self._group) if self._topics else {}
        return Truth(ends, confirmed, await parked_by_reaction(self._mongo))

    async def _shown(self) -> Shown:
        lag: dict[TopicPartition, float] = {}
        parked: dict[str, float] = {}
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            for worker in self._workers:
                _add(await _metrics(session, worker), lag, parked)
        return Shown(lag, parked)


def contradictions(before: Truth, shown: Shown, after: Truth) -> list[str]:
    """What the gauges show that was true at no moment between ``before`` and ``after``."""
    wrong = []
    for place in after.ends:
        least = before.ends.get(place, 0) - after.confirmed.get(place, 0) - _IN_HAND
        most = after.ends[place] - before.confirmed.get(place, 0)
        lag = shown.lag.get(place, 0)
        if not max(0, least) <= lag <= max(0, most):
            wrong.append(f"{place[0]}-{place[1]}: the gauge shows a lag of {lag:g}, it is {max(0, most)} at most")
    for reaction in before.parked.keys() | shown.parked.keys() | after.parked.keys():
        known = sorted((before.parked.get(reaction, 0), after.parked.get(reaction, 0)))
        parked = shown.parked.get(reaction, 0)
        if not known[0] <= parked <= known[1]:
            wrong.append(f"{reaction}: the gauge shows {parked:g} parked events, the database has {known[1]}")
    return wrong


async def parked_by_reaction(mongo: Mongo) -> dict[str, int]:
    """How many events are parked for each reaction."""
    counting = [{"$group": {"_id": "$reaction", "count": {"$sum": 1}}}]
    found = await mongo.aggregate(parking.COLLECTION, counting, 10_000)
    return {entry["_id"]: entry["count"] for entry in found}


async def _metrics(session: aiohttp.ClientSession, worker: str) -> str:
    try:
        async with session.get(f"{worker}/metrics") as answer:
            answer.raise_for_status()
            return await answer.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unanswered(f"{worker}/metrics: {type(error).__name__}: {error}") from error


def _add(text: str, lag: dict[TopicPartition, float], parked: dict[str, float]) -> None:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "linli_consumer_lag_records":
                place = (sample.labels["topic"], int(sample.labels["partition"]))
                lag[place] = lag.get(place, 0) + sample.value
            elif sample.name == "linli_parked_events":
                reaction = sample.labels["reaction"]
                parked[reaction] = parked.get(reaction, 0) + sample.value
