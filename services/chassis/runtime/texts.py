"""Reads the texts of a process: its tables of a catalogue, and the wording of a city that replaces some of them."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from services.chassis.domain.texts import Key, Table, Texts, TextsUnfit, contradictions
from services.chassis.domain.words import DEFAULT, is_language

CHASSIS = "services.chassis"
FOLDER = "texts"
"""Where a package has its catalogue, and a city its wording: a file ``<language>.toml`` for each language."""
Catalogue = Mapping[str, Table]
"""Texts by language; the first part of a section is the name of its table."""


def load(names: Sequence[str] = (), city_data: Path | None = None) -> Texts:
    """The texts of the chassis and of these names.

    A name is ``<package>.<table>``: the top table ``[<table>…]`` of the package's files ``texts/<language>.toml``.
    ``city_data/texts/`` may hold files of the same form: a text in there replaces the one of the same table, section
    and key, and a file of another language adds it. TextsUnfit where texts contradict each other, where there is no
    such table, or where a city has a text that is in no catalogue of this process, other placeholders than
    ours, or something that is no file of a language.
    """
    known = (CHASSIS, *names)
    wording = None if city_data is None else city_data / FOLDER
    if wording is None or not wording.exists():
        return _defaults(known)
    return _chosen(_replaced(_catalogue(known), wording), known)


@lru_cache(maxsize=16)
def _defaults(names: tuple[str, ...]) -> Texts:
    return _chosen(_catalogue(names), names)


def _catalogue(names: Iterable[str]) -> Catalogue:
    """All tables of the packages that these names name, also of tables that other processes use."""
    packages = dict.fromkeys(name.rpartition(".")[0] for name in names)
    return _united([_of_package(package) for package in packages])


@lru_cache(maxsize=16)
def _of_package(package: str) -> Catalogue:
    return dict(_files(resources.files(package) / FOLDER))


def _replaced(ours: Catalogue, wording: Path) -> Catalogue:
    """The catalogue with a city's wording; all of the wording is checked, whichever tables this process uses."""
    if not wording.is_dir():
        raise TextsUnfit(f"{wording} is not a folder of files <language>.toml")
    own = dict(_files(wording))
    if wrong := list(contradictions(own, ours[DEFAULT])):
        raise TextsUnfit(f"{wording}: {'; '.join(wrong)}")
    return {one: {**ours.get(one, {}), **own.get(one, {})} for one in {*ours, *own}}


def _chosen(catalogue: Catalogue, names: Iterable[str]) -> Texts:
    return Texts(_united([_table(catalogue, name) for name in names]))


def _table(catalogue: Catalogue, name: str) -> Catalogue:
    wanted = name.rpartition(".")[2]
    found = {language: dict(_below(wanted, texts)) for language, texts in catalogue.items()}
    if not found[DEFAULT]:
        raise TextsUnfit(f"there are no texts in the table [{wanted}], which {name} names")
    return found


def _below(wanted: str, texts: Table) -> Iterator[tuple[Key, str]]:
    for (section, key), text in texts.items():
        table, _, inner = section.partition(".")
        if table == wanted:
            yield (inner, key), text


def _united(several: Sequence[Catalogue]) -> dict[str, dict[Key, str]]:
    united: dict[str, dict[Key, str]] = {}
    for tables in several:
        for language, table in tables.items():
            into = united.setdefault(language, {})
            if twice := sorted(".".join(key) for key in into.keys() & table.keys()):
                raise TextsUnfit(f"{language}: two tables have {', '.join(twice)}")
            into.update(table)
    return united


def _files(folder: Traversable) -> Iterator[tuple[str, Table]]:
    for file in folder.iterdir():
        language, _, kind = file.name.partition(".")
        if not file.is_file() or kind != "toml" or not is_language(language):
            raise TextsUnfit(f"{folder}: {file.name} is not a file <language>.toml")
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
