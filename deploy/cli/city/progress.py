"""Progress of long work on stderr: bars with count, rate and remaining time on a terminal, plain lines elsewhere."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from deploy.cli import screen

T = TypeVar("T")
LINE_EVERY_SECONDS = 5.0


class Bars(Protocol):
    """Receives the progress of long work."""

    def begin(self, stage: str, total: int) -> None:
        """A stage with this many steps begins."""

    def advance(self, stage: str) -> None:
        """One step of a stage is done."""

    def say(self, sentence: str) -> None:
        """Show a line."""


@contextmanager
def bars() -> Iterator[Bars]:
    """Bars on a terminal, lines elsewhere."""
    if not screen.STDERR.is_terminal:
        yield Lines()
        return
    columns = (TextColumn("{task.description:14}"), BarColumn(30), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=screen.STDERR) as progress:
        yield Drawn(progress)


class Drawn:
    """Bars drawn by rich."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, object] = {}

    def begin(self, stage: str, total: int) -> None:
        """Draw another bar."""
        self._tasks[stage] = self._progress.add_task(stage, total=total)

    def advance(self, stage: str) -> None:
        """Advance a bar."""
        self._progress.advance(self._tasks[stage])  # type: ignore[arg-type]

    def say(self, sentence: str) -> None:
        """A line above the bars."""
        self._progress.console.print(sentence)


class Lines:
    """One line every few seconds, and one at the end of a stage."""

    def __init__(self) -> None:
        self._stages: dict[str, tuple[int, int, float]] = {}
        self._said = 0.0

    def begin(self, stage: str, total: int) -> None:
        """Note its start."""
        self._stages[stage] = (0, total, time.monotonic())

    def advance(self, stage: str) -> None:
        """Count, and print a line now and then."""
        done, total, began = self._stages[stage]
        self._stages[stage] = (done + 1, total, began)
        now = time.monotonic()
        if done + 1 == total or now - self._said > LINE_EVERY_SECONDS:
            self._said = now
            rate = (done + 1) / max(now - began, 0.001)
            self.say(f"{stage}: {done + 1}/{total}, {rate:.0f}/s, {(total - done - 1) / rate:.0f} s left")

    def say(self, sentence: str) -> None:
        """A line."""
        screen.STDERR.print(sentence, soft_wrap=True)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.finished_speed or task.speed or 0:6.0f}/s", style="dim")


async def side_by_side(work: Callable[[T], Awaitable[None]], things: Iterable[T], at_once: int) -> None:
    """Do the same with all things, with limited concurrency, in their order; stops at the first failure."""
    waiting = iter(things)

    async def one_after_another() -> None:
        for thing in waiting:
            await work(thing)

    hands = [asyncio.create_task(one_after_another()) for _ in range(at_once)]
    try:
        await asyncio.gather(*hands)
    finally:
        for hand in hands:
            hand.cancel()
        await asyncio.gather(*hands, return_exceptions=True)
