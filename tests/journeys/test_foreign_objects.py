"""Every operation of the API, tried by everybody who has no business with what it names."""

from collections.abc import Mapping

import pytest

from tests.journeys import matrix
from tests.journeys.foreign import aims
from tests.journeys.matrix import Breach, Cell
from tests.journeys.operations import Operation, all_operations, operations
from tests.journeys.town import Town


@pytest.fixture(scope="module")
def found(town: Town) -> Mapping[Operation, Mapping[str, Cell | Breach]]:
    """The whole matrix."""
    return matrix.rows(town, all_operations(town), aims(town))


def test_nobody_gets_further_with_what_is_somebody_elses_than_their_role_and_place_allow(
    found: Mapping[Operation, Mapping[str, Cell | Breach]],
) -> None:
    assert not [
        f"{operation} as {name}: {cell}"
        for operation, cells in found.items()
        for name, cell in cells.items()
        if isinstance(cell, Breach)
    ]


def test_every_body_was_right_so_that_no_refusal_came_from_it(
    found: Mapping[Operation, Mapping[str, Cell | Breach]],
) -> None:
    # A role that is refused says nothing of the body: somebody has to come past that, to the place or to an answer.
    past = {Cell.PLACE, Cell.HIDDEN, Cell.OPEN, Cell.OWN, Cell.DUTY}
    assert not [str(operation) for operation, cells in found.items() if past.isdisjoint(cells.values())]


def test_the_page_shows_what_was_found(found: Mapping[Operation, Mapping[str, Cell | Breach]]) -> None:
    assert matrix.PAGE.read_text() == matrix.written(found), "python -m tests.journeys.matrix writes it"


def test_an_operation_that_nobody_knows_how_to_aim_fails(town: Town) -> None:
    described = {"paths": {"/v1/visits/{visit_id}": {"get": {"x-linli-roles": ["handler"]}}}, "components": {}}
    with pytest.raises(AssertionError, match="visits"):
        matrix.rows(town, list(operations({**described, "components": {"schemas": {}}}, {})), {})
