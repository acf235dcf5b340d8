"""Who sees which cases."""

from services.chassis.domain.scope import ALL, Actor, Visible, system_actor
from services.requests.cases import model
from services.requests.cases.model import Case
from tests.requests.test_life_of_a_case import MONDAY, filed
from tests.requests.town import NEIGHBOUR, OPERATOR, RESIDENT, STATION, STREET, staff


def where(*any_of: tuple[str, tuple[str, ...]]) -> Visible:
    return Visible(any_of=any_of)


def test_residents_see_their_own_cases_handlers_their_organisations_and_staff_their_places() -> None:
    place = ("under", (STREET,))
    assert Case.visible(RESIDENT) == where(("state.resident_id", ("person_wang",)))
    for role in ("operator", "dispatcher", "supervisor", "administrator"):
        assert Case.visible(staff(role, STREET)) == where(place)
    handler, leader = (staff("handler", STREET, organisations=(id,)) for id in (STATION, "team_1"))
    assert Case.visible(handler) == where(("state.handler_id", (STATION,)), place)
    assert Case.visible(leader) == where(("state.handler_id", ("team_1",)))
    assert Case.visible(staff("handler", STREET)) == where()
    both = Actor("a", frozenset({"resident", "handler"}), (STREET,), ("team_1", STATION), person="person_wang")
    own = ("state.resident_id", ("person_wang",))
    assert Case.visible(both) == where(own, ("state.handler_id", ("team_1", STATION)), place)
    assert Case.visible(system_actor("clock")) == ALL
    assert model.READERS == ("resident", "operator", "handler", "dispatcher", "supervisor")


def test_a_case_is_its_residents() -> None:
    assert [filed(MONDAY).is_of(actor) for actor in (RESIDENT, NEIGHBOUR, OPERATOR)] == [True, False, False]
