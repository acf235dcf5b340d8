"""A flood of sign-ins of staff that nobody knows: what it takes from others who only want to see who they are."""

from collections import Counter
from collections.abc import Sequence

import orjson

from tests.bench import driving
from tests.bench.bench import Bench
from tests.bench.driving import Open
from tests.bench.figures import Figure, Spread, at_most
from tests.bench.requests_sent import Sample, Script, Shot, milliseconds, together

NAME = "flood"
TITLE = "A flood of sign-ins of staff with unknown logins"

MOST_P99_MS = 300
RATE, READERS_RATE = 100, 20
READ, GUESS = "GET /v1/me", "sign-in"
# Loopback has 16 million addresses: a flood comes from others than the readers.
SOURCES = {"one address": ["127.0.1.1"], "50 addresses": [f"127.0.2.{number}" for number in range(1, 51)]}


async def measure(bench: Bench) -> list[Figure]:
    """Residents read at 20/s: alone, then while strangers guess at 100/s from one address, and from 50."""
    seconds = bench.pace.seconds(30, 5)
    alone = Spread.of(milliseconds(await _driven(bench, seconds, [])))
    figures = [Figure(f"{READ}, p99, alone", alone.p99, "ms", None, alone.reported())]
    for named, sources in SOURCES.items():
        samples = await _driven(bench, seconds, sources)
        figures += _figures(f"{READ} of others in a flood of {RATE}/s from {named}", samples)
    return figures


async def _driven(bench: Bench, seconds: float, sources: Sequence[str]) -> list[Sample]:
    start = driving.soon()
    reads: list[Script] = [(Shot(READ, "GET", "/v1/me", token),) for token in bench.residents]
    jobs = [Open(bench.stack.gateway, reads, [(READERS_RATE, seconds)], start)]
    if sources:
        jobs.append(Open(bench.stack.gateway, _guesses(int(RATE * seconds)), [(RATE, seconds)], start, sources))
    return together(await bench.drive(driving.opened, *jobs))


def _guesses(count: int) -> list[Script]:
    """Each with another login, so that no lock of a login ends the flood."""
    bodies = ({"login": f"nobody-{number}", "password": "guessed", "otp": "123456"} for number in range(count))
    return [(Shot(GUESS, "POST", "/v1/sign-in/staff", "", orjson.dumps(body)),) for body in bodies]


def _figures(name: str, samples: Sequence[Sample]) -> list[Figure]:
    read = [sample for sample in samples if sample.kind == READ]
    spread, refused = Spread.of(milliseconds(read)), Counter(str(one.status) for one in read if not one.ok)
    guesses = dict(Counter(str(one.status) for one in samples if one.kind == GUESS))
    return [
        Figure(f"{name}, p99", spread.p99, "ms", at_most(MOST_P99_MS), {**spread.reported(), "guesses": guesses}),
        Figure(f"{name}, refused", refused.total(), "", at_most(0), refused),
    ]
