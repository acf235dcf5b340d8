"""The command line of a service: ``python -m services.requests web|worker|migrate``."""

import asyncio
import sys
from collections.abc import Callable

from services.chassis.domain.refusals import Unavailable
from services.chassis.messaging.kafka import BrokerAway
from services.chassis.ops import service as services
from services.chassis.ops import worker
from services.chassis.ops.service import Service
from services.chassis.ops.settings import Settings, SettingsMissing, load


def main(service: Service) -> None:
    """Run one process of a service; 2 for wrong words or settings, 1 where the world is not ready."""
    roles: dict[str, Callable[[Service, Settings], None]] = {"web": _web, "worker": worker.run, "migrate": _migrate}
    if len(sys.argv) != 2 or sys.argv[1] not in roles:
        _end(2, f"say what to run: python -m services.{service.name} {'|'.join(roles)}")
    try:
        roles[sys.argv[1]](service, load())
    except SettingsMissing as error:
        _end(2, f"settings are missing or wrong: {error}")
    except (BrokerAway, Unavailable) as error:
        _end(1, f"the broker or the database cannot be reached: {error}")


def _web(service: Service, settings: Settings) -> None:
    services.server(services.web_app(service, settings), settings).run()


def _migrate(service: Service, settings: Settings) -> None:
    differing = asyncio.run(services.migrate(service, settings))
    if differing:
        _end(1, f"topics are configured otherwise than Linli needs: {', '.join(differing)}")


def _end(code: int, sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(code)
