"""The pages made from the code say what the code says."""

import pytest

from docs.generate.pages import FOLDER, pages


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_generated_page_is_fresh(name: str) -> None:
    assert (FOLDER / name).read_text() == pages()[name], f"docs/{name} is stale: run `make docs`"
