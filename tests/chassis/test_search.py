"""The words by which documents are found: one spelling for each, and tokens that say no more than they must."""

import secrets

from services.chassis.domain.words import Words
from services.chassis.storage import search
from services.chassis.storage.master_key import MasterKey
from services.members.people.model import Person
from services.members.teams.model import Team
from services.requests.catalogue.model import Item

MASTER = MasterKey(secrets.token_bytes(32), "hulunbuir")


def test_words_are_looked_for_by_pairs_and_a_single_character_by_itself() -> None:
    assert search.asked(Item, "路燈壞", MASTER) == ["t:路灯", "t:灯坏"]
    assert search.asked(Item, "灯", MASTER) == ["t:灯"]
    assert search.asked(Item, "?!", MASTER) == []


def test_an_entity_has_the_tokens_of_its_words_and_not_of_what_is_in_two_fields() -> None:
    item = Item.blank("LED-1")
    item.name, item.keywords = Words(zh="路灯", en="Lamp"), ["黑", "暗"]
    found = search.plain_terms(item)
    assert {"t:路灯", "t:路", "t:黑", "t:暗", "t:la", "t:d1"} <= {*found}
    assert "t:黑暗" not in found
    assert found == sorted(set(found))


def test_one_of_several_values_is_found_with_each_place() -> None:
    team = Team.blank("team_1")
    team.name, team.skills, team.area = Words.named("队"), ["patrol"], "150702"
    found = [token for token in search.plain_terms(team) if token.startswith("v:")]
    assert found == ["v:skills=patrol", "v:skills=patrol@1507", "v:skills=patrol@150702"]


def test_tokens_of_a_sealed_field_say_nothing_and_no_single_character_is_among_them() -> None:
    asked = search.asked(Person, "张三丰", MASTER)
    assert len(asked) == 2
    assert all(token.startswith("s:") and "张" not in token for token in asked)
    assert asked == search.asked(Person, "張 三豐", MASTER)
    assert asked != search.asked(Person, "张三丰", MasterKey(secrets.token_bytes(32), "hulunbuir"))
    assert search.asked(Person, "张", MASTER) == []
