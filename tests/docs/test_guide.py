"""The page that shows how a use case is added shows what stands in the code."""

import re

import pytest

from docs.generate.pages import FOLDER

PAGE = (FOLDER / "add-a-use-case.md").read_text()
SHOWN = re.findall(r"^## \d\. [^:\n]+: `(\S+)`$(.*?)(?=^## )", PAGE, re.M | re.S)


@pytest.mark.parametrize(("path", "section"), SHOWN, ids=[path for path, _ in SHOWN])
def test_every_line_of_code_on_the_page_is_in_its_file(path: str, section: str) -> None:
    code = (FOLDER.parent / path).read_text()
    lines = "\n".join(re.findall(r"^```python$(.*?)^```$", section, re.M | re.S)).splitlines()
    assert any(lines)
    # An import is shown with the names that the page needs; the file has more of them.
    imports = [line for line in lines if line.startswith("from ")]
    assert [line for line in lines if line not in imports and line not in code.splitlines()] == []
    assert [name for line in imports for name in re.findall(r"[\w.]+", line) if name not in code] == []


def test_the_page_shows_a_use_case_from_its_fact_to_its_test() -> None:
    assert len(SHOWN) == 7
