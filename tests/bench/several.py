"""What a second web process and a second worker of each service bring, on the same machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from deploy.local import Stack
from tests.bench import commands
from tests.bench.bench import Bench
from tests.bench.figures import Bars, Figure
from tests.bench.memory import resident

NAME = "several"
TITLE = "Two webs and two workers of each service"

_NUMBERS = {"LINLI_WEB": "2", "LINLI_WORKERS": "2"}


async def measure(bench: Bench) -> list[Figure]:
    """32 clients file and take steps with one process of each kind, then with two."""
    seconds = bench.pace.seconds(12, 3)
    await commands.measured(bench, seconds / 3)  # what has just started is slow
    alone, known = await commands.measured(bench, seconds), resident(bench)
    with _grown(bench.stack) as stack:
        grown = replace(bench, stack=stack, known={})
        await commands.measured(grown, seconds / 3)
        two = await commands.measured(grown, seconds)
        more = sum(mib for name, mib in resident(grown).items() if name not in known)
    figures = []
    for name, run in two.items():
        rates = {"one of each": alone[name].rate, "two of each": run.rate}
        refused = {"one": alone[name].lost, "two": run.lost}
        chart = Bars(f"{name.capitalize()} commands a second, 32 clients", "/s", rates)
        detail = {**{who: round(rate, 1) for who, rate in rates.items()}, "not accepted": refused}
        figures.append(
            Figure(f"{name} commands, two against one", run.rate / alone[name].rate, "×", None, detail, chart)
        )
    return [*figures, Figure("resident memory of six more processes", more, "MiB")]


@contextmanager
def _grown(stack: Stack) -> Iterator[Stack]:
    """The same home with more processes, as long as the block lasts."""
    layout = stack.layout
    stack.down()
    grown = Stack(layout.home.root, layout.ports, layout.parts, {**layout.given, **_NUMBERS}, stack.lifetime)
    try:
        grown.up()
        yield grown
    finally:
        grown.down()
        stack.up()
