"""Faults between workers of one service: a stolen lease, a death during a rebalance, two relays, a replay."""

import asyncio

from services.chassis.messaging import control
from services.chassis.messaging.kafka import TopicReader
from services.chassis.storage.mongo import connect
from tests.faults.providers import Mood
from tests.faults.trial import Fault, Skipped, Trial
from tests.faults.verdict import settings

_LEASE_SECONDS = 3.0


async def stolen(trial: Trial) -> str:
    """The relay's lease runs out while its holder is frozen; another takes it, and then the first one thaws."""
    mongo = connect(trial.stack.signed_in["requests"])

    async def taken() -> bool:
        lease = await mongo.find_one("leases", {"_id": "relay"})
        return lease is not None and lease["holder"] == "requests-1"

    async with trial.beside("services", "requests", "worker", slot=1) as second:
        await trial.until(second.ready, 60, "the second worker")
        async with trial.frozen("requests-worker"):
            await trial.until(taken, 20 + _LEASE_SECONDS, "the lease to be taken")
            await trial.load.flows(30)
        await trial.load.flows(30)
    await mongo.close()
    return "the second worker took it, the first thawed"


async def rebalanced(trial: Trial) -> str:
    """A second member joins and leaves; the first dies whenever partitions are taken from it."""
    port = trial.stack.layout.ports.notify_worker
    async with trial.without("notify-worker"):
        words = ("dying", "notify", "worker", "--die-at", "revoked", "--after", "1")
        async with trial.beside(*words, port=port) as dying:
            await trial.until(dying.ready, 60, "the first worker")

            async def died() -> bool:
                return dying.deaths() > 0

            async with trial.beside("services", "notify", "worker", slot=1):
                await trial.until(died, 60, "a death during a rebalance")
                await trial.load.flows(20)
            deaths = dying.deaths()
    return f"deaths: {deaths}"


async def two_relays(trial: Trial) -> str:
    """Two relays of one service at the same time, without a lease between them."""
    mongo = connect(trial.stack.signed_in["requests"])

    async def leads() -> bool:
        return await mongo.find_one("leases", {"_id": "relay-second"}) is not None

    async with trial.beside("second_relay", "requests", "worker"):
        await trial.until(leads, 60, "the second relay")
        await trial.load.flows(100)
    await mongo.close()
    return ""


async def replayed(trial: Trial) -> str:
    """Both groups read their topics again from the start, as an operator asks, while the load goes on."""
    again = 0
    for service in ("requests", "notify"):
        group, mongo = settings(trial.stack, service).group(service), connect(trial.stack.signed_in[service])
        async with TopicReader(trial.stack.kafka).open() as past, control.paused(mongo, group, "faults", "faults", 60):
            confirmed = await past.committed(group)
            again += sum(confirmed.values())
            if not await control.move(mongo, group, dict.fromkeys(confirmed, 0), "faults"):
                raise Skipped(f"{group} does not rest")
            if waiting := await control.wait_for_members(mongo, group, 60):
                raise RuntimeError(f"{waiting} have not obeyed")
        await mongo.close()
    return f"{again} records came again"


async def slow(trial: Trial) -> str:
    """Both providers answer after two seconds."""
    trial.providers.mood = "slow"
    await trial.load.flows(100)
    await asyncio.sleep(trial.seconds(3, 6))
    trial.providers.mood = "willing"
    return ""


async def refusing(trial: Trial) -> str:
    """Both providers refuse for a while, then say nothing at all."""
    refused = trial.providers.refused
    moods: tuple[Mood, ...] = ("refusing", "mute")
    for trial.providers.mood in moods:
        await trial.load.flows(60)
        await asyncio.sleep(trial.seconds(2, 4))
    trial.providers.mood = "willing"
    return f"{trial.providers.refused - refused} refused"


FAULTS = (
    Fault("lease-stolen", "the relay's lease stolen while its holder is frozen", stolen),
    Fault("rebalance", "a worker dies while partitions are given out anew", rebalanced),
    Fault("two-relays", "two relays on purpose", two_relays),
    Fault("replayed", "topics replayed from the start, group offsets reset", replayed),
    Fault("slow-outside", "slow SMS and mail providers", slow),
    Fault("refused-outside", "refusing and mute SMS and mail providers", refusing),
)
