"""A city's folder, read and checked."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from deploy.cities.checks import problems
from deploy.cities.shapes import Areas, Catalogue, City, Organisations, Teams
from services.chassis.schedule.calendar import CityTimes
from services.contracts.requests.dangers import CityDangers

ShapeT = TypeVar("ShapeT", bound=BaseModel)


class CityDataWrong(Exception):
    """The folder cannot be used; each problem names the file, the entry and what to do."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def load(folder: Path) -> City:
    """Read a city's folder; raises `CityDataWrong` with every problem of the first stage that has any."""
    try:
        city = City(
            areas=_read(folder, "areas.json", Areas).areas,
            catalogue=_read(folder, "catalogue.json", Catalogue),
            organisations=_read(folder, "organisations.json", Organisations),
            teams=_read(folder, "teams.json", Teams),
            times=working_times(folder),
            dangers=words_of_danger(folder),
        )
    except ValidationError as wrong:
        raise CityDataWrong(_summary("holidays.json", {}, wrong)) from wrong
    if wrong_entries := problems(city):
        raise CityDataWrong(wrong_entries)
    return city


def working_times(folder: Path) -> CityTimes:
    """When the city works, as it is set up; CityDataWrong or ValueError if it cannot be read."""
    return CityTimes.model_validate(_json(folder / "holidays.json"))


def words_of_danger(folder: Path) -> CityDangers:
    """The city's words of danger; CityDataWrong if they cannot be read."""
    return _read(folder, "dangers.json", CityDangers)


def time_zone(folder: Path) -> ZoneInfo:
    """The city's time zone; CityDataWrong or ValueError if it cannot be read."""
    return working_times(folder).time_zone


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise CityDataWrong([f"{path.name}: cannot be read ({wrong.strerror}): put it into {path.parent}"]) from wrong
    except ValueError as wrong:
        raise CityDataWrong([f"{path.name}: not JSON in UTF-8 ({wrong}): correct it there"]) from wrong


def _read(folder: Path, name: str, shape: type[ShapeT]) -> ShapeT:
    data = _json(folder / name)
    try:
        return shape.model_validate(data)
    except ValidationError as wrong:
        raise CityDataWrong(_summary(name, data, wrong)) from wrong


def _summary(name: str, data: Any, wrong: ValidationError) -> list[str]:
    return [f"{name}: {_entry(data, error['loc'])}: {error['msg']}; correct it" for error in wrong.errors()]


def _entry(data: Any, where: tuple[int | str, ...]) -> str:
    # Problems name an entry of a list by its code, if it has one, because nobody counts to the 143rd item.
    said, at = [], data
    for step in where:
        at = _within(at, step)
        coded = isinstance(step, int) and isinstance(at, dict) and "code" in at
        said.append(str(at["code"] if coded else step))
    return " › ".join(said) or "as a whole"


def _within(data: Any, step: int | str) -> Any:
    try:
        return data[step]
    except (KeyError, IndexError, TypeError):
        return None
