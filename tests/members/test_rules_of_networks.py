"""Networks: what counts as one, how long it waits, how hard the work is, and which work counts."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from itertools import pairwise

import pytest
from pydantic import ValidationError

from services.contracts.members import work
from services.members.accounts.networks import model
from services.members.accounts.networks.model import Budget, Challenge, NoCodesNow
from services.members.accounts.networks.settings import NetworkSettings

CODES = Budget("codes", 5, 30, 100, NoCodesNow)
NOW = datetime(2026, 11, 23, 8, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("203.0.113.7, 198.51.100.1", "unknown"),
        ("' OR 1=1", "unknown"),
    ],
)
def test_an_address_counts_as_one_and_of_ipv6_a_whole_customer(address: str, network: str) -> None:
    assert model.network_of(address) == network


def test_one_address_of_ipv6_can_be_known() -> None:
    known = (ip_network("2001:db8:7::7/128"),)
    assert model.is_within("2001:db8:7::7", known)
    assert not model.is_within("2001:db8:7::8", known)


def test_a_service_hall_is_known_by_its_address_or_its_network() -> None:
    known = tuple(map(ip_network, ("203.0.113.7/32", "198.51.100.0/24", "2001:db8::/32")))
    inside = ("203.0.113.7", "198.51.100.200", "2001:db8:5::1", "::ffff:198.51.100.1")
    assert [model.is_within(address, known) for address in inside] == [True] * 4
    assert [model.is_within(address, known) for address in ("203.0.113.8", "unknown", "")] == [False] * 3


@pytest.mark.parametrize("given", ["203.0.113.7/33", "hall", "198.51.100.9/24"])
def test_what_is_no_network_is_refused_when_a_process_starts(given: str) -> None:
    with pytest.raises(ValidationError):
        NetworkSettings(known_networks=given)


def test_networks_are_separated_by_commas() -> None:
    assert len(NetworkSettings(known_networks="203.0.113.7, 198.51.100.0/24,").networks) == 2
    assert NetworkSettings(known_networks=None).networks == ()


def asked(count: int, ago: timedelta = timedelta()) -> list[datetime]:
    return [NOW - ago] * count


def test_the_first_five_codes_of_an_hour_need_nothing_and_each_further_one_more() -> None:
    demands = [model.by_network(asked(count), NOW, 5) for count in range(61)]
    assert [demand.bits for demand in demands[:5]] == [0] * 5
    assert [demand.wait.total_seconds() for demand in demands[5:12]] == [30, 60, 120, 240, 480, 900, 900]
    assert all(before.bits <= after.bits for before, after in pairwise(demands))
    assert (demands[5].bits, demands[-1].bits) == (model.FIRST_BITS, model.MOST_BITS)


def test_who_has_waited_needs_no_work() -> None:
    assert model.by_network(asked(5, timedelta(seconds=29)), NOW, 5).wait == timedelta(seconds=1)
    assert model.by_network(asked(5, timedelta(seconds=30)), NOW, 5).bits == 0
    assert model.by_network(asked(30, timedelta(minutes=15)), NOW, 5).bits == 0


@pytest.mark.parametrize("count", [35, 60, 5000])
def test_however_many_codes_were_asked_for_work_helps_and_gets_no_harder(count: int) -> None:
    assert model.by_network(asked(count), NOW, 5) == (model.MOST_BITS, model.LONGEST_WAIT)


@pytest.mark.parametrize(
    "free", [model.FREE_CODES, model.FREE_CODES_AROUND, model.FREE_SIGN_INS, model.FREE_SIGN_INS_AROUND]
)
def test_what_is_kept_of_a_network_is_enough_for_the_same_answer(free: int) -> None:
    assert model.by_network(asked(model.kept(free)), NOW, free) == model.by_network(asked(500), NOW, free)


def test_the_networks_of_one_customer_of_ipv6_lie_in_one_around_them() -> None:
    assert model.around("2001:db8:1:2::/64") == model.around("2001:db8:1:ffff::/64") == ["2001:db8:1::/48"]
    assert model.around("203.0.113.7") == model.around("unknown") == []
    assert model.by_network(asked(29), NOW, model.FREE_CODES_AROUND).bits == 0
    assert model.by_network(asked(30), NOW, model.FREE_CODES_AROUND).bits == model.FIRST_BITS


def test_on_a_busy_minute_all_work_the_harder_the_more_there_are_and_far_above_it_all_wait() -> None:
    found = [model.by_load(number, CODES, NOW) for number in (1, 100, 101, 500, 1000)]
    assert [demand.bits for demand in found] == [0, 0, 16, 20, 20]
    assert {demand.wait for demand in found[2:]} == {timedelta(seconds=50)}
    with pytest.raises(NoCodesNow) as refused:
        model.by_load(1001, CODES, NOW)
    assert refused.value.retry_after == 50


def test_work_counts_if_it_is_done_on_our_challenge_in_time() -> None:
    challenge = Challenge(8, NOW + timedelta(minutes=5), "00ff")
    done = work.done(str(challenge), challenge.bits)
    assert Challenge.parse(done) == challenge._replace(until=challenge.until.replace(microsecond=0))
    assert model.counts(done, challenge, "00ff", NOW)
    assert not model.counts(done, challenge, "00fe", NOW), "not ours, or of another network, phone or hardness"
    assert not model.counts(done, challenge, "00ff", NOW + timedelta(minutes=5))
    undone = next(text for text in (f"{challenge}.{n}" for n in range(1000)) if not work.is_done(text, 8))
    assert not model.counts(undone, challenge, "00ff", NOW)


@pytest.mark.parametrize(
    "text", ["", "15", "15.1.aa", "x.1.aa.1", "15.99999999999999.aa.1", "15.1.aa.1.1", "-1.1.aa.1"]
)
def test_what_is_no_work_is_none(text: str) -> None:
    assert Challenge.parse(text) is None
