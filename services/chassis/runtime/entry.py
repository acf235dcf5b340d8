"""What a process of a service is: ``python -m services.requests web|worker|migrate|operate``."""

import asyncio
import gc
import sys
from collections.abc import Callable

from services.chassis.domain.refusals import Unavailable
from services.chassis.domain.texts import TextsUnfit
from services.chassis.messaging.kafka import BrokerAway
from services.chassis.runtime import service as services
from services.chassis.runtime import worker
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import Settings, SettingsMissing, load
from services.chassis.storage.migrations import IndexDiffers
from services.chassis.telemetry.lazy import lazy_import

_GARBAGE = 10_000
"""This many new objects are looked through at once: a request makes hundreds that are gone with it."""


def main(service: Service) -> None:
    """Run one process of a service; 2 for wrong words or settings, 1 where broker or database cannot be reached."""
    roles: dict[str, Callable[[Service], None]] = {
        "web": _web,
        "worker": _worker,
        "migrate": _migrate,
        "operate": _operate,
    }
    words = sys.argv[1:]
    if len(words) != 1 or words[0] not in roles:
        _end(2, f"say what to run: python -m services.{service.name} {'|'.join(roles)}")
    try:
        roles[words[0]](service)
    except SettingsMissing as error:
        _end(2, f"settings are missing or wrong: {error}")
    except TextsUnfit as error:
        _end(2, f"the texts are wrong: {error}")
    except IndexDiffers as error:
        _end(1, str(error))
    except (BrokerAway, Unavailable) as error:
        _end(1, f"the broker or the database cannot be reached: {error}")


def _settings(service: Service) -> Settings:
    return load(service.name, service.settings)


def _web(service: Service) -> None:
    settings = _settings(service)
    server = services.server(services.web_app(service, settings), settings)
    freeze()
    server.run()


def _worker(service: Service) -> None:
    settings = _settings(service)
    freeze()
    worker.run(service, settings)


def _operate(service: Service) -> None:
    gc.freeze()  # a short process: a garbage collection would take longer than many operations
    run: Callable[[Service], None] = lazy_import("services.chassis.operations.operate", "run")
    run(service)


def freeze() -> None:
    """Everything that exists now lives as long as the process, so the garbage collector need not scan it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE)


def _migrate(service: Service) -> None:
    differing = asyncio.run(services.migrate(service, _settings(service)))
    if differing:
        _end(1, f"topics have other settings than Linli needs: {', '.join(differing)}")


def _end(code: int, sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(code)
