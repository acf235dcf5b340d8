"""The command line of a service: ``python -m services.requests web|worker|migrate|verify|audit|rebuild``."""

import asyncio
import gc
import sys
from collections.abc import Callable, Sequence

from services.chassis.domain.refusals import Unavailable
from services.chassis.domain.texts import TextsUnfit
from services.chassis.messaging.kafka import BrokerAway
from services.chassis.runtime import service as services
from services.chassis.runtime import worker
from services.chassis.runtime.service import Service
from services.chassis.runtime.settings import Settings, SettingsMissing, load
from services.chassis.telemetry.lazy import lazy_import

Role = Callable[[Service, Settings, Sequence[str]], None]
_GARBAGE = 10_000
"""So many new objects are looked through at once: a request makes hundreds that are gone with it."""
_COMMANDS = {
    "verify": ("services.chassis.operations.ledger.command", "run"),
    "audit": ("services.chassis.operations.ledger.command", "run_audit"),
    "rebuild": ("services.chassis.operations.ledger.command", "run_rebuild"),
    "backfill": ("services.chassis.operations.backfilling", "run"),
    "republish": ("services.chassis.operations.republishing", "run"),
    "examine": ("services.chassis.operations.doctor.examine", "run"),
}
"""By module and function; loaded when asked for."""


def main(service: Service) -> None:
    """Run one process of a service; 2 for wrong words or settings, 1 where the world is not ready."""
    roles: dict[str, Role] = {"web": _web, "worker": _worker, "migrate": _migrate}
    known = (*roles, *_COMMANDS)
    role, words = sys.argv[1:2], sys.argv[2:]
    if not role or role[0] not in known or (words and role[0] in roles):
        _end(2, f"say what to run: python -m services.{service.name} {'|'.join(known)}")
    try:
        run = roles.get(role[0]) or _command(role[0])
        if role[0] in _COMMANDS:
            gc.freeze()  # soon over: to look through all that is loaded, at the end too, takes longer than many of them
        run(service, load(), words)
    except SettingsMissing as error:
        _end(2, f"settings are missing or wrong: {error}")
    except TextsUnfit as error:
        _end(2, f"the texts are wrong: {error}")
    except (BrokerAway, Unavailable) as error:
        _end(1, f"the broker or the database cannot be reached: {error}")


def _command(name: str) -> Role:
    module, function = _COMMANDS[name]
    command: Role = lazy_import(module, function)
    return command


def _web(service: Service, settings: Settings, _: Sequence[str]) -> None:
    server = services.server(services.web_app(service, settings), settings)
    freeze()
    server.run()


def _worker(service: Service, settings: Settings, _: Sequence[str]) -> None:
    freeze()
    worker.run(service, settings)


def freeze() -> None:
    """What stands by now lives as long as the process: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE)


def _migrate(service: Service, settings: Settings, _: Sequence[str]) -> None:
    differing = asyncio.run(services.migrate(service, settings))
    if differing:
        _end(1, f"topics are configured otherwise than Linli needs: {', '.join(differing)}")


def _end(code: int, sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(code)
