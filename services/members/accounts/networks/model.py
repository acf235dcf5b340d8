"""How much one network may ask for at once, how long it waits for more, and how much work replaces the wait."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple, Self

from services.chassis.domain.refusals import Kind, Refusal
from services.contracts.members.work import is_done

FREE_CODES, FREE_CODES_AROUND = 5, 30
"""From one network in an hour, and from all of one /48 of IPv6, which is what one customer can get: 65,536 networks."""
FREE_SIGN_INS, FREE_SIGN_INS_AROUND = 20, 100
"""The same of staff with devices that are not known: a desk where a shift begins."""
SPAN = timedelta(hours=1)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
FIRST_BITS, MOST_BITS = 15, 20
"""A tenth of a second, and some seconds, on a phone."""
EACH_BIT = 5
"""After each of these further ones the work doubles."""
HEADROOM = 10
"""How many times as many as are usual pass in a minute for those who did the work."""
GOOD_FOR = timedelta(minutes=5)

Network = IPv4Network | IPv6Network


class WorkOrWait(Refusal):
    kind = Kind.TOO_MANY


class NoCodesNow(Refusal):
    kind = Kind.TOO_MANY


class Budget(NamedTuple):
    """How many of one kind (codes, sign-ins of staff) wait for nothing, and what refuses those far above it."""

    kind: str
    free: int
    free_around: int
    usual: int
    """In all in a minute."""
    full: type[Refusal]


class Demand(NamedTuple):
    """What is asked of the next one: work of this number of bits (0: none), or to wait instead."""

    bits: int = 0
    wait: timedelta = timedelta()


class Challenge(NamedTuple):
    """What is worked on: how hard it is, until when it counts, and the mark by which it is known as ours."""

    bits: int
    until: datetime
    mark: str

    @property
    def bound(self) -> str:
        """What the mark is made of, besides what it is for."""
        return f"{self.bits}|{int(self.until.timestamp())}"

    def __str__(self) -> str:
        return f"{self.bits}.{int(self.until.timestamp())}.{self.mark}"

    @classmethod
    def parse(cls, work: str) -> Self | None:
        """Of a challenge with a nonce; None where it is none."""
        parts = work.split(".")
        if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts[:2]):
            return None
        return cls(int(parts[0]), datetime.fromtimestamp(int(parts[1]), UTC), parts[2])


def network_of(address: str) -> str:
    """What counts as one: an address, of IPv6 a customer's whole /64; one for all whose address is none."""
    try:
        known = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return str(ip_network(f"{known}/64" if known.scope_id is None else "fe80::/64", strict=False))
    return str(known.ipv4_mapped if isinstance(known, IPv6Address) else known)


def around(network: str) -> list[str]:
    """The /48 around a /64 of IPv6; of IPv4 nothing."""
    return [str(ip_network(network).supernet(new_prefix=48))] if network.endswith("/64") else []


def is_within(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is in one of these networks."""
    try:
        known = ip_address(address)
    except ValueError:
        return False
    if isinstance(known, IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    return any(known in network for network in networks)


def by_network(times: Sequence[datetime], now: datetime, free: int) -> Demand:
    """What a network is asked that has asked at these times within an hour, where ``free`` of them wait for nothing.

    However many they are, work lets one more through: nobody locks out all others behind their address.
    """
    beyond = len(times) - free
    if beyond < 0:
        return Demand()
    wait = min(FIRST_WAIT * (1 << min(beyond, 10)), LONGEST_WAIT) - (now - times[-1])
    return Demand(min(FIRST_BITS + beyond // EACH_BIT, MOST_BITS), wait) if wait > timedelta() else Demand()


def kept(free: int) -> int:
    """How many times of a network are kept beside the latest: with more of them the answer is the same."""
    return free + EACH_BIT * (MOST_BITS - FIRST_BITS)


def by_load(number: int, budget: Budget, now: datetime) -> Demand:
    """What all are asked in a minute in which this is the one of this number; refused far above what is usual."""
    usual = budget.usual
    if number <= usual:
        return Demand()
    wait = timedelta(seconds=60 - now.second)
    if number > usual * HEADROOM:
        raise budget.full(retry_after=_seconds(wait))
    return Demand(min(FIRST_BITS + number // usual, MOST_BITS), wait)


def counts(work: str, challenge: Challenge, mark: str, now: datetime) -> bool:
    """Whether the work was done on a challenge of ours (whose mark is ``mark``) that is not over."""
    return challenge.mark == mark and now < challenge.until and is_done(work, challenge.bits)


def refused(demand: Demand, challenge: Challenge) -> WorkOrWait:
    """The refusal that says what to work on, and how long to wait instead."""
    return WorkOrWait(retry_after=_seconds(demand.wait), challenge=str(challenge), bits=challenge.bits)


def _seconds(span: timedelta) -> int:
    return max(1, math.ceil(span.total_seconds()))
