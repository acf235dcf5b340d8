"""What is looked at here is never started."""

from pathlib import Path

import pytest

from tests.conftest import CITY_DATA
from tests.support.world import NAMES, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Services that are put together but never asked: behind their addresses is nobody."""
    return World("127.0.0.1:1", dict.fromkeys(NAMES, "mongodb://127.0.0.1:1"), tmp_path, CITY_DATA)
