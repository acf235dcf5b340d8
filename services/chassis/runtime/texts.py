"""Reads the texts of a process: the files of its packages, and the wording of a city that replaces some of them."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from services.chassis.domain.texts import Key, Table, Texts, TextsUnfit, contradictions
from services.chassis.domain.words import DEFAULT, is_language

CHASSIS = "services.chassis"
FOLDER = "texts"
"""Where a package has its texts, and a city its wording."""


def load(packages: Sequence[str] = (), city_data: Path | None = None) -> Texts:
    """The texts of the chassis and of these packages: a file ``texts/<language>.toml`` each.

    ``city_data/texts/<last part of a package's name>/`` may hold files of the same form: a text in there replaces the
    one of the same key, and a file of another language adds it. TextsUnfit where texts contradict each other, or
    where a city has a text with another key or other gaps than ours.
    """
    wording = None if city_data is None else city_data / FOLDER
    known = (CHASSIS, *packages)
    if wording is None or not wording.is_dir():
        return _defaults(known)
    return Texts(_united([_replaced(package, wording / package.rpartition(".")[2]) for package in known]))


@lru_cache(maxsize=16)
def _defaults(packages: tuple[str, ...]) -> Texts:
    return Texts(_united([_of_package(package) for package in packages]))


@lru_cache(maxsize=16)
def _of_package(package: str) -> Mapping[str, Table]:
    return dict(_tables(resources.files(package) / FOLDER))


def _replaced(package: str, folder: Path) -> Mapping[str, Table]:
    ours = _of_package(package)
    if not folder.is_dir():
        return ours
    own = dict(_tables(folder))
    if wrong := list(contradictions(own, ours[DEFAULT])):
        raise TextsUnfit(f"{folder}: {'; '.join(wrong)}")
    return {one: {**ours.get(one, {}), **own.get(one, {})} for one in {*ours, *own}}


def _united(several: Sequence[Mapping[str, Table]]) -> dict[str, dict[Key, str]]:
    united: dict[str, dict[Key, str]] = {}
    for tables in several:
        for language, table in tables.items():
            into = united.setdefault(language, {})
            if twice := sorted(".".join(key) for key in into.keys() & table.keys()):
                raise TextsUnfit(f"{language}: two packages have {', '.join(twice)}")
            into.update(table)
    return united


def _tables(folder: Traversable) -> Iterator[tuple[str, Table]]:
    for file in folder.iterdir():
        language, _, kind = file.name.partition(".")
        if kind != "toml" or not is_language(language):
            raise TextsUnfit(f"{folder}: {file.name} is not named <language>.toml")
        try:
            yield language, dict(_flat(tomllib.loads(file.read_text("utf-8"))))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TextsUnfit(f"{folder}/{file.name} cannot be read: {error}") from None


def _flat(table: Mapping[str, Any], *above: str) -> Iterator[tuple[Key, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, *above, key)
        else:
            yield (".".join(above), key), str(value)
