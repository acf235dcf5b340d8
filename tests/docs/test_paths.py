"""Whatever file or folder of ours a page names is there."""

import re

import pytest

from tests.architecture.code import ROOT

PAGES = (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
_PATH = re.compile(r"(?<![\w./-])(?:services|deploy|tests|docs)/[\w./-]*\w/?")


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_every_path_that_a_page_names_is_there(page: object) -> None:
    named = set(_PATH.findall((ROOT / str(page)).read_text("utf-8")))
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_every_link_between_pages_leads_somewhere(page: object) -> None:
    file = ROOT / str(page)
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", file.read_text("utf-8"))
    assert sorted(link for link in links if not (file.parent / link).exists()) == []
