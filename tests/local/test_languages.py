"""The gateway's choice of a language: the first that a header names, whatever languages there are."""

import re

import pytest

from deploy.gateway.render import languages


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9,zh;q=0.5", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr, ,EN;q=0.5", "en"),
        ("mn, en", "mn"),
        ("e, m, z, mn-Cyrl;q=0.9, zh", "mn"),
        ("mr, en", "en"),
        ("zh-Hant-TW, en", "zh-Hant"),
        ("fr", "zh"),
        ("fr, zh, en", "zh"),
    ],
)
def test_the_first_language_that_there_is_is_chosen(accepted: str, language: str) -> None:
    known = languages(("zh", "en", "mn", "zh-Hant"))
    assert next(one.name for one in known if re.fullmatch(one.pattern, accepted)) == language
