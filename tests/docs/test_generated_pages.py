"""The pages made from the code say what the code says."""

import json

import pytest

from docs.generate.pages import FOLDER, PAGES


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_fresh(name: str) -> None:
    assert (FOLDER / name).read_text() == PAGES[name](), f"docs/{name} is stale: run `make docs`"


def test_every_group_of_paths_is_introduced() -> None:
    described = json.loads(PAGES["openapi.json"]())
    used = {tag for path in described["paths"].values() for operation in path.values() for tag in operation["tags"]}
    assert used == {tag["name"] for tag in described["tags"]}
