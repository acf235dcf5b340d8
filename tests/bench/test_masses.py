"""Cases made in masses are such as the service writes, and every list that is measured is full."""

from collections import Counter
from typing import cast

from services.chassis.domain.values import Sealed, now
from services.chassis.storage.documents import load
from services.chassis.storage.master_key import MasterKey
from services.chassis.storage.mongo import Mongo
from services.chassis.storage.vault import Vault
from services.contracts.members.areas import path
from services.requests.cases.model import Case
from services.requests.cases.states.model import OPEN
from tests.bench.masses import (
    ITEMS,
    RESIDENTS,
    STATIONS,
    SUB_DISTRICTS,
    Document,
    Mould,
    case_id,
    resident_id,
    sealed,
)
from tests.bench.scale import BASE, PAGE

_FILED = now()
_WORDS = {"title": Sealed("1.AAAA"), "text": Sealed("1.BBBB"), "answers": Sealed("1.CCCC")}


def _mould() -> Mould:
    state = {
        "number": "261124-M707A-0",
        "state": "dispatched",
        "resident_id": "person_a",
        "filed_by": "person_a",
        "filed_at": _FILED,
        "channel": "self",
        "item": "GOV-GENERAL",
        "item_name": {"zh": "其他诉求", "en": "Other matters"},
        "system": "governance",
        "area": "990101001001",
        "county": "990101",
        "department": "supervision",
        "tiers": ["station"],
        "first_response_hours": 8.0,
        "resolution_hours": 24.0,
        "respond_by": _FILED,
        "warn_at": _FILED,
        "due_at": _FILED,
        **_WORDS,
    }
    document: Document = {"_id": "case_a", "version": 3, "under": [], "state": state, "history": []}
    return Mould(document, [resident_id(n) for n in range(RESIDENTS)], _FILED)


def test_a_case_of_the_masses_is_one_that_the_service_reads() -> None:
    made = _mould().case(7)
    case = load(Case, made)
    assert (case.id, case.resident_id) == (case_id(7), resident_id(7))
    assert made["under"] == list(path(case.area)) == list(case.places())
    assert case.county == case.area[:6]
    assert made == _mould().case(7)


def test_the_words_of_a_case_of_the_masses_open_with_its_own_key() -> None:
    master = MasterKey(b"k" * 32, "hulunbuir")
    case = load(Case, sealed(_mould().case(7), master))
    vault = Vault(cast(Mongo, None), master)
    assert vault.open_own(case.title, case, "title") == "楼道灯不亮"


def test_only_what_is_open_is_late() -> None:
    cases = [_mould().case(n)["state"] for n in range(2_000)]
    assert {case["state"] in OPEN for case in cases if case["overdue"]} == {True}
    assert all((case["next_tick_at"] is None) == (case["state"] not in OPEN) for case in cases)


def test_every_list_that_is_measured_is_full_from_the_base_on() -> None:
    mould = _mould()
    cases = [mould.case(n)["state"] for n in range(BASE)]
    late = Counter((c["area"][:9]) for c in cases if c["state"] == "accepted" and c["overdue"])
    items = Counter((c["county"], c["item"]) for c in cases if c["state"] == "closed")
    work = Counter(c["handler_id"] for c in cases if c["state"] == "in_progress")
    own = Counter(c["resident_id"] for c in cases)
    counties = {place[:6] for place in SUB_DISTRICTS}
    assert min(late[place] for place in SUB_DISTRICTS) >= PAGE
    assert min(items[county, item] for county in counties for item in ITEMS) >= PAGE
    assert min(work[station] for station in STATIONS.values()) >= PAGE
    assert min(own[resident_id(n)] for n in range(RESIDENTS)) >= PAGE
