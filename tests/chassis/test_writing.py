"""What people write can be read, and hides nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.chassis.domain.values import Text
from services.chassis.domain.writing import is_legible

TEXT = TypeAdapter[str](Text)


@pytest.mark.parametrize(
    "text",
    [
        "小区路灯坏了",
        "x",
        "3",
        "🔥",
        "第一行\n\t第二行\r\n",
        "می\u200cخواهم",  # Persian: a joiner keeps two letters apart
        "👩\u200d🚒",
        "ᠰᠠᠷᠠ\u180eᠠ ᠶᠢᠨ\u202fᠤ",  # Mongolian: the separator and the narrow space before a suffix
    ],
)
def test_what_a_script_needs_is_taken_as_it_is(text: str) -> None:
    assert TEXT.validate_python(text) == text


@pytest.mark.parametrize("text", [" ", "\n\t", "。", "？！", "…", "\u3164", "\u2800", "\u180e", "\u0301"])
def test_where_there_is_nothing_to_read_it_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="nothing_to_read"):
        TEXT.validate_python(text)


@pytest.mark.parametrize("unseen", ["\x00", "\u202e", "\u200f", "\x1b", "\u2066", "\U000e0041"])
def test_a_character_that_cannot_be_seen_is_named_with_its_place(unseen: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        TEXT.validate_python(f"\ufeff路灯{unseen}坏了")
    (error,) = wrong.value.errors()
    assert error["type"] == "unseen_character"
    assert error["ctx"] == {"character": f"U+{ord(unseen):04X}", "place": 4}  # as it was sent


@pytest.mark.parametrize("pasted", ["\u200b", "\ufeff", "\u00ad", "\u2060"])
def test_what_comes_along_from_a_page_is_left_out_and_alone_is_nothing(pasted: str) -> None:
    assert TEXT.validate_python(f"{pasted}路灯{pasted}坏了") == "路灯坏了"
    with pytest.raises(ValidationError, match="nothing_to_read"):
        TEXT.validate_python(pasted)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1))
def test_letters_digits_and_symbols_are_never_refused(text: str) -> None:
    assert is_legible(f"a{text}")
