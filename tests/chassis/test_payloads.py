"""A payload is what it says: two ways to write the same are one, and two things that differ are two."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.http.payloads import NameTwice, canonical

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=5)


def turned(value: Any) -> Any:
    """The same with the names of every object in the opposite order."""
    if isinstance(value, dict):
        return {name: turned(value[name]) for name in reversed(value)}
    return [turned(one) for one in value] if isinstance(value, list) else value


@given(OBJECTS)
def test_order_and_spaces_and_escapes_make_no_difference(value: dict[str, Any]) -> None:
    plain = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert canonical(plain) == canonical(json.dumps(turned(value), indent=2).encode())


@given(OBJECTS, OBJECTS)
def test_what_differs_differs(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (canonical(json.dumps(one).encode()) == canonical(json.dumps(other).encode())) == same


@pytest.mark.parametrize("content", [b"", b"  ", b"{}", b" { } "])
def test_no_body_is_an_empty_object(content: bytes) -> None:
    assert canonical(content) == b"{}"


@pytest.mark.parametrize(
    "content", [b"not json", b'{"a":', b'{"n":123456789012345678901}', b'{"n":NaN}', b"\xff", b"[" * 99_999]
)
def test_what_has_no_canonical_form_is_taken_as_it_is(content: bytes) -> None:
    assert canonical(content) == content


@pytest.mark.parametrize("content", [b'{"a":1,"a":2}', b'{"x":[{"b":1,"c":2,"b":1}]}'])
def test_a_name_twice_is_refused(content: bytes) -> None:
    with pytest.raises(NameTwice):
        canonical(content)
