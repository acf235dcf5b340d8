"""An operator who types commands at a world's databases."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from typer.testing import CliRunner

from deploy.cli.main import application
from deploy.local.trouble import Trouble
from services.chassis.runtime.settings import PREFIX, Settings
from tests.support.world import NAMES, World


def environment(settings: Settings) -> dict[str, str]:
    """The same settings for another process."""
    given = {n: v for n, v in settings.model_dump(mode="json", exclude={"mongo"}).items() if v is not None}
    given |= {f"mongo_{service}": uri for service, uri in settings.mongo.items()}
    return {**os.environ, **{f"LINLI_{name.upper()}": str(value) for name, value in given.items()}}


def settings_of(environment: Mapping[str, str]) -> Settings:
    """Settings from an environment that is not this process's own."""
    given: dict[str, Any] = {n.removeprefix(PREFIX).lower(): v for n, v in environment.items() if n.startswith(PREFIX)}
    databases = {name.removeprefix("mongo_"): given[name] for name in given if name.startswith("mongo_")}
    return Settings(**{**given, "mongo": databases})


@dataclass
class Said:
    """What a command said, and its exit code."""

    code: int
    text: str


class Operator:
    """Types commands that begin with the same words."""

    def __init__(self, world: World, home: Path, *first: str) -> None:
        uris = {f"LINLI_MONGO_{name.upper()}": world.settings().database(name) for name in NAMES}
        broker = {"LINLI_ALLOW_OPEN_STORES": "true", "LINLI_KAFKA": world.kafka, "LINLI_TOPIC_PREFIX": world.name}
        self._environment, self._first = {**uris, **broker, "LINLI_HOME": str(home)}, first

    async def __call__(self, *words: str) -> Said:
        """The command with these words."""
        typed = [*self._first, *words]
        result = await asyncio.to_thread(CliRunner().invoke, application(), typed, env=self._environment)
        if isinstance(result.exception, Trouble):
            return Said(result.exception.code, result.exception.sentence)
        return Said(result.exit_code, result.stdout)

    async def in_a_process(self, *words: str) -> Said:
        """The same in a process of its own: what a worker here logs meanwhile does not get into its words."""
        typed = [sys.executable, "-m", "deploy.cli.main", *self._first, *words]
        environment = {**os.environ, **self._environment}
        done = await asyncio.to_thread(subprocess.run, typed, env=environment, capture_output=True, text=True)
        return Said(done.returncode, done.stdout)

    async def json(self, *words: str) -> Any:
        """What it answers with --json."""
        said = await self(*words, "--json")
        assert said.text.startswith("{"), said
        return orjson.loads(said.text)
