"""Where a message goes and what becomes of it follows from the message alone, the same in every run."""

import re
from collections import Counter

from tests.replay.outcomes import phone, planned
from tests.replay.places import Places, mark

COMMUNITIES = [
    f"{county}{street:03}{number:03}" for county in range(150701, 150715) for street in (1, 2) for number in range(1, 6)
]


def test_the_first_district_named_is_the_mark() -> None:
    assert mark("A市A3区潇楚南路洋湖段怎么还没修好") == "A3"
    assert mark("J11 市的B9县") == "J11"
    assert mark("请A市加快建设") is None


def test_one_mark_is_one_county_and_one_resident_one_community_of_it() -> None:
    places = Places(COMMUNITIES)
    counties = {places.of("A3区的路", f"U{n}")[:6] for n in range(200)}
    assert len(counties) == 1
    assert places.of("A3区的路", "U1") == places.of("投诉A3区的灯", "U1")
    assert len({places.of("A3区的路", f"U{n}") for n in range(200)}) == 10


def test_messages_without_a_district_spread_over_all_counties() -> None:
    places = Places(COMMUNITIES)
    assert len({places.of("A市的路", f"U{n}")[:6] for n in range(500)}) == 14


def test_planned_outcomes_are_stable_and_in_their_fractions() -> None:
    all_of_them = [planned(1, str(n)) for n in range(5000)]
    assert all_of_them == [planned(1, str(n)) for n in range(5000)]
    assert all_of_them != [planned(2, str(n)) for n in range(5000)]
    assert abs(sum(one.on_behalf for one in all_of_them) - 2500) < 150
    assert abs(sum(one.paused for one in all_of_them) - 400) < 90
    assert Counter(one.returned for one in all_of_them).keys() == {0, 1, 2}
    assert {one.score for one in all_of_them} == {1, 2, 3, 4, 5}


def test_a_pseudonym_has_one_valid_looking_phone() -> None:
    assert phone("UU0081") == phone("UU0081") != phone("UU0082")
    assert all(re.fullmatch(r"\+861[35][0-9]\d{8}|\+8618[678]\d{8}", phone(f"U{n}")) for n in range(500))
