"""What only the inside of a running town can do to a case: let its term be over, and name the tokens of a search."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from deploy.local import Stack
from services.chassis.domain.entity import Entity
from services.chassis.runtime.service import open_container
from services.chassis.runtime.settings import Settings
from services.chassis.storage import search
from services.chassis.storage.master_key import MasterKey
from services.members.app import service as members
from services.notify.app import service as notify
from services.requests.app import service as requests
from services.requests.cases.clocks.model import Retention
from services.requests.cases.forgetting.commands import forget_over
from tests.support.operating import settings_of


async def end_term(stack: Stack, id: str) -> None:
    """Run the use case of the timer for one case that has ended, with a term of no length: it is over at once."""
    container = open_container(requests, _settings(stack))
    dependencies = {**container.dependencies, Retention: Retention(timedelta(0))}
    ctx = replace(container, dependencies=dependencies).system_context("forget-over", f"timer:forget-over:{id}")
    await forget_over(ctx, id)
    await container.mongo.close()


def search_tokens(stack: Stack, words: str) -> list[str]:
    """By which a search for these words would find something, in any kind of any service."""
    settings = _settings(stack)
    master = MasterKey.read(settings.master_key_file, settings.city)
    kinds: list[type[Entity[Any]]] = [
        kind for one in (members, requests, notify) for kind in one.entities if kind.terms
    ]
    return [token for kind in kinds for token in search.asked(kind, words, master)]


def _settings(stack: Stack) -> Settings:
    return settings_of(stack.environment("requests", "worker"))
