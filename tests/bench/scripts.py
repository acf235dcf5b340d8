"""What the people of the town do: file, take a case through its steps, both in a row."""

from collections.abc import Iterable, Sequence
from itertools import cycle

import orjson

from tests.bench.bench import Bench
from tests.bench.requests_sent import Script, Shot
from tests.bench.town import filing

FILE = "file"
STEPS = ("accept", "start", "comment", "resolve", "rate")
_SAYS = "已到现场查看，今天更换灯具。"
# Who takes a step, and what they say.
_BY_RESIDENT = {"comment": {"text": _SAYS}, "rate": {"score": 5, "solved": True}}
_BY_HANDLER = {"accept": None, "start": None, "resolve": {"outcome": "fixed", "answer": _SAYS}}


def filings(bench: Bench, path: str = "/v1/requests") -> list[Script]:
    """Each resident files a request: one script for each, in the order of ``bench.people``."""
    body = orjson.dumps(filing())
    return [(Shot(FILE, "POST", path, token, body),) for token in bench.residents]


def changes(bench: Bench, cases: Iterable[tuple[str, str]]) -> list[Script]:
    """Cases, each with its resident's token, taken from where they are filed to where they are closed."""
    handlers = cycle(bench.handlers)
    return [_steps(f"/v1/requests/{case}", token, next(handlers)) for case, token in cases]


def lives(bench: Bench) -> list[Script]:
    """Each resident files a request that is then taken to its end."""
    handlers = cycle(bench.handlers)
    filed = zip(filings(bench), bench.residents, strict=True)
    return [[*first, *_steps("/v1/requests/{id}", token, next(handlers))] for first, token in filed]


def _steps(path: str, resident: str, handler: str) -> Sequence[Shot]:
    steps = []
    for step in STEPS:
        token, body = (resident, _BY_RESIDENT[step]) if step in _BY_RESIDENT else (handler, _BY_HANDLER[step])
        content = b"" if body is None else orjson.dumps(body)
        steps.append(Shot(step, "POST", f"{path}/{step}", token, content))
    return steps
