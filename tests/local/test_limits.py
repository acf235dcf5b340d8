"""The rate limits of public routes: for one address, for all together, and the answer to too many requests."""

import itertools
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from deploy.gateway.limits import Limits
from deploy.local import Home, Ports, Trouble, front
from deploy.local.layout import Layout
from tests.local.conftest import assert_problem, running

SIGN_IN, TRACK, SUGGEST = "/v1/sign-in/codes", "/v1/track/261123-7K3QX-4?code=0", "/v1/catalogue/suggest"
RATE, BURST = 2, 4
"""How many requests pass in a second, and at once."""
_addresses = (f"127.0.{number // 250 + 1}.{number % 250 + 1}" for number in itertools.count())


@pytest.fixture(scope="module")
def knock(home: Home, upstream: int) -> Iterator["Knock"]:
    """At a gateway that lets four at once sign in or ask what fits from one address, and track from all together."""
    limits = Limits(sign_in_rate=RATE, sign_in_rate_all=1000, track_rate=1000, track_rate_all=RATE, suggest_rate=RATE)
    with running(home, upstream, "strict", limits) as client:
        yield Knock(f"{client.base_url}")


@dataclass
class Knock:
    """Asks, from an address that nobody has asked from where none is given."""

    gateway: str

    def __call__(self, path: str, times: int, source: str = "", language: str = "zh") -> list[httpx.Response]:
        transport = httpx.HTTPTransport(local_address=source or next(_addresses))
        headers = {"accept-language": language}
        with httpx.Client(base_url=self.gateway, transport=transport, timeout=10, headers=headers) as client:
            return [client.request("GET" if "track" in path else "POST", path) for _ in range(times)]

    def until_refused(self, path: str, source: str = "", language: str = "zh") -> list[httpx.Response]:
        """Ask one time after the other until the answer is 429, which is the last.

        How soon that is depends on the machine: four may pass at once, and two more in each second that it takes.
        """
        source, answers, began = source or next(_addresses), list[httpx.Response](), time.monotonic()
        while not answers or answers[-1].status_code != 429:
            assert len(answers) <= BURST + RATE * math.ceil(time.monotonic() - began), "never refused"
            answers += self(path, 1, source, language)
        return answers


def passed(answers: list[httpx.Response]) -> int:
    return sum(answer.status_code == 200 for answer in answers)


@pytest.mark.parametrize("path", [SIGN_IN, TRACK, SUGGEST])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_caller_who_asks_too_often_learns_when_to_try_again(knock: Knock, path: str, language: str) -> None:
    refused = knock.until_refused(path, language=language)[-1]
    problem = assert_problem(refused, 429, "too-many", language)
    assert refused.headers["retry-after"] in problem["detail"]


def test_after_the_time_to_wait_the_route_answers_again(knock: Knock) -> None:
    source = next(_addresses)
    *answers, refused = knock.until_refused(SIGN_IN, source)
    assert len(answers) >= BURST
    time.sleep(int(refused.headers["retry-after"]))
    assert passed(knock(SIGN_IN, 1, source)) == 1


def test_a_caller_who_asks_too_often_does_not_limit_others(knock: Knock) -> None:
    knock.until_refused(SIGN_IN)
    assert passed(knock(SIGN_IN, 1)) == 1


def test_all_together_have_a_limit_too(knock: Knock) -> None:
    answers = (knock(TRACK, 1)[0] for _ in range(300))  # each from an address of its own
    assert any(answer.status_code == 429 for answer in answers)


def test_routes_without_a_limit_answer_a_caller_who_asked_too_often(knock: Knock) -> None:
    source = next(_addresses)
    knock.until_refused(SIGN_IN, source)
    assert passed(knock("/v1/requests", 20, source)) == 20


def test_a_city_that_signs_in_from_one_address_is_not_hindered(gateway: httpx.Client) -> None:
    with ThreadPoolExecutor(16) as hands:
        answers = list(hands.map(lambda _: gateway.post(SIGN_IN), range(150)))
    assert passed(answers) == 150


def test_the_limits_are_settings(home: Home) -> None:
    front.prepare(Layout(home, Ports.free(), given={"LINLI_SIGN_IN_RATE": "7", "LINLI_TRACK_RATE_ALL": "9000"}))
    configuration = (home.run / "envoy.yaml").read_text()
    assert "tokens_per_fill: 7," in configuration
    assert "tokens_per_fill: 9000," in configuration


@pytest.mark.parametrize("wrong", ["0", "-1", "many"])
def test_a_limit_that_is_no_number_is_one_sentence(home: Home, wrong: str) -> None:
    with pytest.raises(Trouble, match=f"LINLI_TRACK_RATE is '{wrong}': give a number"):
        front.prepare(Layout(home, Ports.free(), given={"LINLI_TRACK_RATE": wrong}))
