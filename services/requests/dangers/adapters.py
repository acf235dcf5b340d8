"""Reads the city's words of danger from its data folder."""

from pathlib import Path

from services.contracts.requests.dangers import CityDangers
from services.requests.dangers.model import Dangers


def read_dangers(city_data: Path) -> Dangers:
    """What ``dangers.json`` says; ValidationError where it cannot be read, OSError where it is not there."""
    return Dangers(CityDangers.model_validate_json((city_data / "dangers.json").read_text("utf-8")))
