"""An examination of one service; nothing is changed by it."""

import asyncio
from collections.abc import Awaitable, Callable

from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging.kafka import BrokerAway, Cluster
from services.chassis.operations.answering import Plain, Say
from services.chassis.operations.doctor import broker, database, files
from services.chassis.operations.doctor.findings import Finding, well, wrong
from services.chassis.operations.protocol import ExamineRequest
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import Settings
from services.chassis.storage.mongo import connect
from services.chassis.telemetry import logs

Look = Callable[[], Awaitable[list[Finding]]]

SECONDS = 4.0
"""The time-out of one check; all run concurrently."""
_AWAY = "start it, or correct its address in the settings: linli status"


async def examination(service: Service, settings: Settings, _: ExamineRequest, __: Say) -> Plain:
    """How everything is; clean where nothing is wrong."""
    found = await examine(service, settings)
    content = {"service": service.name, "findings": [finding.document() for finding in found]}
    return Plain(content, clean=well(found))


async def examine(service: Service, settings: Settings) -> list[Finding]:
    """All checks, concurrently; a check without an answer is a finding, too."""
    parts = await asyncio.gather(
        _look("files", lambda: files.look(settings, service)), _database(service, settings), _broker(service, settings)
    )
    return [finding for part in parts for finding in part]


async def _database(service: Service, settings: Settings) -> list[Finding]:
    # Always this driver: it gives up at once on a database that does not answer.
    mongo = connect(settings.database(service.name), "pymongo", settings.mongo_account(service.name))
    looks: dict[str, Look] = {
        "indexes": lambda: database.indexes(mongo, service.kinds, settings.sharded_collections),
        "relay": lambda: database.relay(mongo, service),
        "parked": lambda: database.parked(mongo),
        "consumer": lambda: database.consumer(mongo, settings.group(service.name), service),
        "leases": lambda: database.leases(mongo, service),
        "unfinished": lambda: database.unfinished(mongo),
    }
    try:
        return await _behind("database", lambda: database.server(mongo), looks)
    finally:
        await mongo.close()


async def _broker(service: Service, settings: Settings) -> list[Finding]:
    cluster = Cluster(settings.kafka)
    looks: dict[str, Look] = {
        "groups": lambda: broker.groups(cluster, service, settings),
        "timestamps": lambda: broker.timestamps(cluster, service, settings),
    }

    async def asked() -> list[Finding]:
        async with cluster.open():
            return await _behind("topics", lambda: broker.topics(cluster, service, settings), looks)

    return await _look("broker", asked, times=2)


async def _behind(name: str, first: Look, looks: dict[str, Look]) -> list[Finding]:
    """The other checks only if the first is answered: one line reports what is away."""
    found = await _look(name, first)
    if [finding.advice for finding in found] == [_AWAY]:
        return found
    rest = await asyncio.gather(*(_look(check, look) for check, look in looks.items()))
    return [*found, *(finding for part in rest for finding in part)]


async def _look(check: str, look: Look, times: int = 1) -> list[Finding]:
    try:
        async with asyncio.timeout(times * SECONDS):
            return await look()
    except (TimeoutError, Unavailable, BrokerAway) as error:
        return [wrong(check, f"does not answer ({type(error).__name__})", _AWAY)]
    except Exception as error:  # whatever the error is, it must not hide the other findings
        return [
            wrong(
                check,
                f"cannot be checked ({logs.safe_text(error)})",
                "fix what that says, or report it to the developers",
            )
        ]
