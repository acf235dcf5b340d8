"""Texts: placeholders are filled in the language asked for, others stand in, and a city brings its own wording."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services.chassis.domain.refusals import Kind, NotFound, Stale, refusal_from
from services.chassis.domain.texts import Texts, TextsUnfit
from services.chassis.domain.words import Words
from services.chassis.runtime.texts import load
from tests.support.jars import Full

ZH = {
    ("titles", "state"): "状态",
    ("lists", "separator"): "、",
    ("lists", "empty"): "无",
    ("colours", "red"): "红",
    ("colours", "pale"): "浅{of:colours}",
    ("said", "many"): "有{what:colours}",
    ("said", "named"): "给{whom}",
}
EN = {**ZH, ("lists", "separator"): ", ", ("colours", "red"): "red", ("said", "many"): "There is {what:colours}"}
TEXTS = Texts({"en": EN, "zh": ZH})


def wording(city: Path, language: str, text: str) -> None:
    """A file of a city's own texts."""
    folder = city / "texts"
    folder.mkdir(exist_ok=True)
    (folder / f"{language}.toml").write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("what", "zh", "en"),
    [
        ("red", "有红", "There is red"),
        (["red", "red"], "有红、红", "There is red, red"),
        ([], "有无", "There is 无"),
        ({"key": "pale", "of": "red"}, "有浅红", "There is 浅red"),
        ("unheard-of", "有unheard-of", "There is unheard-of"),
    ],
)
def test_a_placeholder_that_names_a_section_shows_the_text_of_its_fact(what: Any, zh: str, en: str) -> None:
    assert TEXTS.fill("said", "many", "zh", {"what": what}) == zh
    assert TEXTS.fill("said", "many", "en", {"what": what}) == en


def test_a_name_is_shown_in_the_language_also_after_it_was_stored() -> None:
    name = Words.model_validate({"zh": "胜利站", "en": "Shengli", "mn": "Ялалт"})
    for whom in (name, name.model_dump()):
        result = {one: TEXTS.fill("said", "named", one, {"whom": whom}) for one in ("zh", "en", "mn")}
        assert result == {"zh": "给胜利站", "en": "给Shengli", "mn": "给Ялалт"}


def test_a_fact_is_never_taken_for_a_text_with_placeholders_and_a_missing_one_is_an_error() -> None:
    assert TEXTS.fill("said", "named", "zh", {"whom": "{what} {0.__class__}"}) == "给{what} {0.__class__}"
    with pytest.raises(KeyError, match="whom"):
        TEXTS.fill("said", "named", "zh", {})
    with pytest.raises(KeyError, match=r"said\.nothing"):
        TEXTS.fill("said", "nothing", "zh", {})


def test_a_moment_is_written_as_people_of_that_language_write_it() -> None:
    texts, at = load(), datetime(2026, 11, 3, 8, 5)  # noqa: DTZ001 - a local time
    assert texts.moment(at, "zh") == "2026年11月3日08:05"
    assert texts.moment(at, "en") == "3 November 2026, 08:05"


def test_a_refusal_says_the_same_again_after_it_was_kept_in_a_history() -> None:
    texts, refusal = load(), Stale(given=2, current=Words.named("三", "three"))
    assert texts.sentence(refusal, "en") == texts.sentence(refusal_from(refusal.as_record()), "en")
    assert "three" in texts.sentence(refusal, "en")


@pytest.mark.parametrize(
    ("reason", "explained"),
    [
        ("NotFound: not-found", "NotFound: not-found — There is no such thing"),
        (
            "12 failed: Stale: stale (given=2, current=3) from KeyError",
            "— You saw version {given}; it is at {current} now.",
        ),
        ("Forbidden: forbidden (roles=['handler'])", "— Your role does not allow this; it needs one of: {roles}."),
    ],
)
def test_a_reason_that_names_a_refusal_is_explained_to_operators(reason: str, explained: str) -> None:
    assert explained in load().explained(reason)
    assert load().explained(reason).startswith(reason)


@pytest.mark.parametrize("reason", ["ValueError", "KeyError: not-found-by-us", "not-found", "", "waits: for not-found"])
def test_another_reason_stays_as_it_is(reason: str) -> None:
    assert load().explained(reason) == reason


def test_a_refusal_without_a_text_is_reported_by_its_kind() -> None:
    assert TEXTS.sentence(Full(), "zh") == "状态"
    assert load(("tests.support.jars",)).sentence(Full(), "zh") == "罐子满了。"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("fr, en;q=0.5", "en"),
        ("en;q=0.2, zh-Hans-CN;q=0.9", "zh"),
        ("zh;q=0, en;q=0.1", "en"),
        ("en;q=0", "zh"),
        ("zh;q=0", "en"),
        ("zh;q=0, *;q=0.1", "en"),
        ("zh;q=0, en;q=0, mn;q=0, zh-Hant;q=0", "zh"),
        ("mn-Cyrl-MN, en", "mn"),
        ("zh-Hant-TW", "zh-Hant"),
        ("*, en;q=0.5", "zh"),
        ("fr", "zh"),
        ("en;q=much, zh", "zh"),
        (";q=1,,en", "en"),
    ],
)
def test_the_language_is_the_most_wanted_one_that_there_is(accepted: str, language: str) -> None:
    texts = Texts({"zh": ZH, "en": EN, "mn": {}, "zh-Hant": {}})
    assert texts.negotiate(accepted) == language


def test_another_language_is_one_more_file_and_others_stand_in_for_what_it_lacks(tmp_path: Path) -> None:
    wording(tmp_path, "mn", '[chassis.titles]\nnot_found = "Олдсонгүй"\n[chassis.lists]\nseparator = "; "')
    texts = load((), tmp_path)
    assert texts.languages == ("zh", "en", "mn")
    assert texts.negotiate("mn-MN") == "mn"
    assert texts.title(Kind.NOT_FOUND, "mn") == "Олдсонгүй"
    assert texts.sentence(NotFound(), "mn") == load().sentence(NotFound(), "en")
    assert texts.words("titles", "not_found").of("mn") == "Олдсонгүй"
    assert texts.words("titles", "state").of("mn") == "Its state does not allow this"
    assert "titles.state" in texts.missing()["mn"]


def test_what_english_lacks_is_reported_in_chinese() -> None:
    texts = Texts({"zh": ZH, "en": {}, "mn": {}})
    assert texts.fill("said", "many", "mn", {"what": "red"}) == "有红"


def test_a_city_has_its_own_wording_and_keeps_ours_for_the_rest(tmp_path: Path) -> None:
    wording(tmp_path, "zh", '[chassis.refusals]\nstale = "现在是{current}，不是{given}"')
    texts = load((), tmp_path)
    assert texts.sentence(Stale(given=1, current=2), "zh") == "现在是2，不是1"
    assert texts.sentence(Stale(given=1, current=2), "en") == load().sentence(Stale(given=1, current=2), "en")
    assert texts.sentence(NotFound(), "zh") == load().sentence(NotFound(), "zh")


@pytest.mark.parametrize(
    ("language", "text", "problem"),
    [
        ("zh", '[chassis.refusals]\nnot-fuond = "没有"', "zh chassis.refusals.not-fuond: there is no such text"),
        ("zh", '[chasis.refusals]\nnot-found = "没有"', "zh chasis.refusals.not-found: there is no such text"),
        ("en", '[notify.refusals]\nunheard-of = "No"', "en notify.refusals.unheard-of: there is no such text"),
        (
            "en",
            '[chassis.refusals]\nstale = "It is {current} now"',
            r"refusals.stale: its placeholders are \['current'\]",
        ),
        ("en", '[chassis.refusals]\nstale = "{given.real} {current}"', "a placeholder is {name} or {name:section}"),
        ("en", '[chassis.refusals]\nstale = "{given"', "en chassis.refusals.stale: "),
        ("en", '[chassis.refusals]\nnot-found = " "', "en chassis.refusals.not-found is empty"),
        ("en", "[chassis.refusals", "en.toml cannot be read"),
        ("English", "", "English.toml is not a file <language>.toml"),
    ],
)
def test_a_wording_that_does_not_fit_stops_the_start(tmp_path: Path, language: str, text: str, problem: str) -> None:
    wording(tmp_path, language, text)
    with pytest.raises(TextsUnfit, match=problem):
        load((), tmp_path)


@pytest.mark.parametrize("name", ["chassis", "zh.toml", ".zh.toml.swp", "README.md"])
def test_what_is_no_file_of_a_language_among_a_citys_texts_stops_the_start(tmp_path: Path, name: str) -> None:
    (tmp_path / "texts").mkdir()
    if name.endswith((".swp", ".md")):
        (tmp_path / "texts" / name).touch()
    else:
        (tmp_path / "texts" / name).mkdir()
    with pytest.raises(TextsUnfit, match=rf"texts: {re.escape(name)} is not a file"):
        load((), tmp_path)


def test_texts_of_a_city_that_are_no_folder_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "texts").touch()
    with pytest.raises(TextsUnfit, match=r"texts is not a folder of files <language>\.toml"):
        load((), tmp_path)


def test_a_table_that_is_in_no_catalogue_stops_the_start() -> None:
    with pytest.raises(TextsUnfit, match=r"no texts in the table \[libary\], which tests\.support\.libary names"):
        load(("tests.support.libary",))


def test_no_two_tables_of_a_process_have_the_same_text() -> None:
    with pytest.raises(TextsUnfit, match=r"two tables have .*refusals\.not-found"):
        load(("services.chassis",))


def test_words_keep_every_language_and_leave_out_what_is_none() -> None:
    words = Words.model_validate({"zh": "好", "mn": "сайн", "zh-Hant": "好的", "colour": "red"})
    assert words.model_dump() == {"zh": "好", "en": "好", "mn": "сайн", "zh-Hant": "好的"}
    assert [words.of(one) for one in ("zh", "mn", "zh-Hant", "fr")] == ["好", "сайн", "好的", "好"]
    assert Words.model_validate_json(words.model_dump_json()) == words
