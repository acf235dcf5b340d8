"""A damaged city folder is refused, and each problem names file, entry and what to do."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.cities.load import CityDataWrong, load

FOLDER = Path(__file__).parents[2] / "deploy/cities/hulunbuir"
Damage = Callable[[dict[str, Any]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "city"))


def result(folder: Path, name: str, damage: Damage) -> tuple[str, ...]:
    path = folder / name
    data = json.loads(path.read_text(encoding="utf-8"))
    damage(data)
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(CityDataWrong) as refused:
        load(folder)
    return refused.value.problems


def change(entries: str, index: int, **values: object) -> Damage:
    def damage(data: dict[str, Any]) -> None:
        data[entries][index].update(values)

    return damage


def item(which: str, **values: object) -> Damage:
    def damage(data: dict[str, Any]) -> None:
        next(one for one in data["items"] if one["code"] == which).update(values)

    return damage


def test_an_unknown_field_is_reported_with_the_entry(folder: Path) -> None:
    (problem,) = result(folder, "catalogue.json", item("GOV-HEATING", price=3))
    assert problem.startswith("catalogue.json: items › GOV-HEATING › price: ")


def test_a_text_may_have_further_languages_and_nothing_else(folder: Path) -> None:
    named = {"zh": "供热", "en": "Heating", "mn": "Дулаан"}
    path = folder / "catalogue.json"
    data = json.loads(path.read_text("utf-8"))
    item("GOV-HEATING", name=named)(data)
    path.write_text(json.dumps(data), "utf-8")
    assert named in [one.name.model_dump() for one in load(folder).catalogue.items]
    (problem,) = result(folder, "catalogue.json", item("GOV-HEATING", name={**named, "colour": "x"}))
    assert problem.startswith("catalogue.json: items › GOV-HEATING › name: ")
    assert "colour: neither a field nor the tag of a language" in problem


def test_a_missing_translation_is_reported_with_the_entry(folder: Path) -> None:
    (problem,) = result(folder, "catalogue.json", item("GOV-HEATING", name={"zh": "供热"}))
    assert problem.startswith("catalogue.json: items › GOV-HEATING › name › en: ")


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("areas.json", change("areas", 5, code="159999"), "the area above, 1599, is missing"),
        ("areas.json", change("areas", 5, level="community"), "12 digits"),
        ("areas.json", lambda data: data["areas"].append(data["areas"][3]), "listed twice"),
        ("areas.json", lambda data: data["areas"].pop(0), "exactly one area of level city"),
        ("catalogue.json", item("GOV-HEATING", department="moon"), "GOV-HEATING: department moon"),
        ("catalogue.json", item("GOV-HEATING", code="GOV-FIRE"), "GOV-FIRE: code used twice"),
        ("catalogue.json", item("GOV-HEATING", tiers=["station", "station"]), "GOV-HEATING: names a tier twice"),
        ("catalogue.json", item("GOV-HEATING", tiers=["station", "team"]), "GOV-HEATING: tier team and skill"),
        ("catalogue.json", item("GOV-HEATING", tiers=["moon"]), "GOV-HEATING › tiers"),
        ("catalogue.json", item("GOV-FIRE", team_kind="elderly"), "GOV-FIRE: no team of kind elderly"),
        ("catalogue.json", item("GOV-HEATING", first_response_hours=120), "GOV-HEATING: first_response_hours"),
        ("catalogue.json", item("GOV-HEATING", system="fifth"), "GOV-HEATING › system"),
        ("catalogue.json", lambda data: data["systems"].pop(), "systems must be exactly"),
        ("catalogue.json", lambda data: data.update(items=data["items"][:99]), "99 active items"),
        ("catalogue.json", item("CUL-GENERAL", general=False), "culture: has no active general item"),
        ("organisations.json", change("kinds", 4, hours="moon"), "station: hours moon"),
        ("organisations.json", change("kinds", 1, above="station"), "supervision: above"),
        ("organisations.json", change("departments", 0, code="station"), "station: code used twice"),
        ("teams.json", lambda data: data["kinds"].pop(), "kinds must be exactly"),
        ("teams.json", change("kinds", 0, skills=["flying", "errands"]), "skill flying"),
        ("dangers.json", change("kinds", 0, items=["MOON"]), "fire: item MOON is not an active one"),
        ("dangers.json", change("kinds", 0, numbers=["call us"]), "kinds › fire › numbers"),
        ("dangers.json", change("kinds", 1, phrases=["(着火"]), "a bracket is not closed"),
        ("dangers.json", change("kinds", 1, phrases=["{moon}着火"]), "moon: there is no such list"),
        ("dangers.json", change("kinds", 1, phrases=["着火.*"]), "a phrase has letters"),
        ("dangers.json", change("kinds", 1, doubts=["moon"]), "moon: there is no such doubt"),
        ("dangers.json", change("kinds", 1, code="fire"), "a kind is listed twice"),
        ("dangers.json", change("kinds", 1, short={"en": "Run"}), "kinds › gas › short"),
        ("catalogue.json", item("GOV-HEATING", sensitive=True), "GOV-HEATING: is sensitive and followable"),
        ("catalogue.json", item("GOV-DOMESTIC", shared_danger=True), "GOV-DOMESTIC: has shared_danger"),
        ("holidays.json", lambda data: data.update(time_zone=3), "time_zone"),
    ],
)
def test_what_is_wrong_is_reported(folder: Path, name: str, damage: Damage, said: str) -> None:
    problems = result(folder, name, damage)
    assert any(problem.startswith(f"{name}: ") and said in problem for problem in problems)


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "single", "values": []},
        {"kind": "text", "values": [{"key": "a", "zh": "甲", "en": "A"}]},
        {"kind": "multi", "values": [{"key": "a", "zh": "甲", "en": "A"}] * 2},
    ],
)
def test_values_belong_to_choices_only(folder: Path, values: dict[str, Any]) -> None:
    field = {"code": "where", "label": {"zh": "哪里", "en": "Where"}, "required": True, **values}
    (problem,) = result(folder, "catalogue.json", item("GOV-HEATING", form=[field]))
    assert problem.startswith("catalogue.json: GOV-HEATING: form field where: values")


def test_a_missing_file_is_reported(folder: Path) -> None:
    (folder / "teams.json").unlink()
    with pytest.raises(CityDataWrong, match=r"teams\.json: cannot be read"):
        load(folder)


def test_a_file_that_is_not_json_is_reported(folder: Path) -> None:
    (folder / "areas.json").write_text("[", encoding="utf-8")
    with pytest.raises(CityDataWrong, match=r"areas\.json: not JSON"):
        load(folder)
