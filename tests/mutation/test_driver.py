"""The driver itself, on a toy: a mutant that a test notices dies, one that none notices lives."""

from pathlib import Path

import pytest

from tests.mutation import trying
from tests.mutation.mutants import candidates
from tests.mutation.report import Tried, page, score
from tests.mutation.trying import Outcome

TOY = '''"""A toy."""

FREE = 3


def price(days: int, member: bool) -> int:
    """What it costs."""
    if member:
        return 0
    return max(days - FREE, 0)


def unused(days: int) -> int:
    """Nobody asks."""
    return days + 1
'''
TEST = """
from toy import price

def test_the_fourth_day_costs_one():
    assert price(4, False) == 1

def test_a_price_is_a_number():
    assert price(3, True) is not None
"""
EXPECTED = {
    "return max(days + FREE, 0)": Outcome.KILLED,
    "FREE = 4": Outcome.KILLED,
    "return 1": Outcome.SURVIVED,
    "return max(days - FREE, 1)": Outcome.SURVIVED,
    "return days + 2": Outcome.UNSEEN,
}


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """The toy's file, with its tests beside it."""
    (tmp_path / "test_toy.py").write_text(TEST)
    file = tmp_path / "toy.py"
    file.write_text(TOY)
    return file


# Forking beside a thread is what Python 3.12 warns of: here nothing but pytest runs in the child.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_mutant_dies_only_if_a_test_of_its_line_fails(toy: Path) -> None:
    found = {mutant.after.strip(): mutant for mutant in (one.mutant() for one in candidates(toy))}
    covering = trying.cover(toy.parent, [toy], ["test_toy.py"])
    tried = []
    for changed, outcome in EXPECTED.items():
        tests = covering.of(found[changed])
        tried.append(Tried(found[changed], trying.try_one(toy.parent, found[changed], tests, 20), len(tests)))
        assert tried[-1].outcome is outcome, changed
    assert score(tried) == 40
    assert "| all | 5 | 0 | 2 | 3 | 40 % |" in page(toy.parent, tried)
    assert toy.read_text() == TOY, "no file is changed"
