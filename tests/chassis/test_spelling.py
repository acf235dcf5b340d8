"""Spelling: what people type in several ways is one text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.domain.spelling import normal, spelled, typed


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("路燈", "路灯"),
        ("路 灯", "路灯"),
        ("「路灯」。", "路灯"),
        ("ＬＥＤ", "led"),
        ("Led-Lamp 2", "ledlamp2"),
        ("臺灣", "台湾"),
        ("Straße", "strasse"),
        ("", ""),
        ("……", ""),
    ],
)
def test_a_text_has_one_spelling(written: str, plain: str) -> None:
    assert normal(written) == plain
    assert normal(plain) == plain


def test_a_spelling_keeps_what_stands_between_words() -> None:
    assert spelled("暖氣，不熱！ ＬＥＤ") == "暖气,不热! led"


@pytest.mark.parametrize("code", ["123456", "１２３４５６", " 123 456 ", "123\u3000456"])
def test_a_code_is_meant_however_it_was_typed(code: str) -> None:
    assert typed(code) == "123456"


@given(st.text("aZ09 -，。路燈臺灣ＬＥＤ１２ßé"))
def test_a_spelling_has_itself_as_its_spelling(text: str) -> None:
    assert normal(normal(text)) == normal(text)
    assert typed(typed(text)) == typed(text)
