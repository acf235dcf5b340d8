"""Starting a town: every process real, on free ports, gone when it is left."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy.local import Ports, Stack
from deploy.local.processes import EVERYTHING
from tests.journeys.town import ROOT, Town


@contextmanager
def starting(folder: Path, given: Mapping[str, str]) -> Iterator[Town]:
    """A small town, started and seeded, that keeps what it has in ``folder``; ``given`` are settings."""
    data, home = folder / "city", folder / "town"
    # Its own places; the services and rules are those that ship, so that the journeys use the real ones.
    shutil.copytree(ROOT / "deploy" / "cities" / "hulunbuir", data)
    shutil.copy(Path(__file__).parent / "city" / "areas.json", data)
    places = {"LINLI_CITY": "trial", "LINLI_CITY_DATA": str(data), "LINLI_HOME": str(home)}
    known = {"LINLI_KNOWN_NETWORKS": "127.0.0.0/8"}  # all of the town signs in from here
    stack = Stack(home, Ports.free(), EVERYTHING, {**places, **known, **given}, "tied")
    bare = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_")}
    stack.up()
    try:
        with httpx.Client(base_url=stack.gateway, timeout=30) as http:
            town = Town(stack, http, {**bare, "LINLI_HOME": str(home), "NO_COLOR": "1"})
            seeded = town.linli("seed")
            assert seeded.returncode == 0, seeded.stdout + seeded.stderr
            yield town
    finally:
        stack.down()
