"""Which test runs which line, and how long it takes: asked of one run of the tests that may know the files."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from coverage import Coverage

from tests.mutation.mutants import Mutant

LEAST = 15
"""So many tests are asked about a line, the quickest; more of them as long as they stay within the budget."""
BUDGET = 6.0
"""Seconds of tests that are asked about a mutant, where no other number is given."""
SHARED = 2.0
"""Seconds: what takes longer to set up is shared."""


@dataclass(frozen=True)
class Covering:
    """What one run of the tests has shown."""

    lines: Mapping[Path, Mapping[int, Sequence[str]]]
    """The tests that ran a line: none where it only ran at import."""
    seconds: Mapping[str, float]
    loaded: Sequence[str]
    """The modules that all this needed."""

    def of(self, mutant: Mutant, budget: float = BUDGET) -> list[str]:
        """The tests that a mutant is shown to, the quickest first; ``budget`` is how many seconds of them."""
        lines = self.lines.get(mutant.file, {})
        here = lines.get(mutant.line) or [test for line in mutant.lines for test in lines.get(line, ())]
        if here:
            return self._within_budget(self._quickest(set(here)), budget, LEAST)
        if mutant.at_import or mutant.line in lines:
            return self._within_budget(self._in_turn(self._knowing(lines)), budget)
        return []

    def _knowing(self, lines: Mapping[int, Sequence[str]]) -> set[str]:
        """All tests in files of which one runs some line: what looks at a table only runs no line of it."""
        files = {test.split("::")[0] for tests in lines.values() for test in tests}
        return {test for test in self.seconds if not files or test.split("::")[0] in files}

    def _quickest(self, tests: set[str]) -> list[str]:
        return sorted(tests, key=lambda test: (self.seconds[test], test))

    def _in_turn(self, tests: set[str]) -> list[str]:
        """The quickest of every file, then the second of every file: a table is known to many files of tests."""
        turns: dict[str, Iterator[int]] = defaultdict(count)
        placed = [(next(turns[test.split("::")[0]]), self.seconds[test], test) for test in self._quickest(tests)]
        return [test for _, _, test in sorted(placed)]

    def _within_budget(self, tests: Sequence[str], budget: float, least: int = 0) -> list[str]:
        chosen, spent = [*tests[:least]], sum(self.seconds[test] for test in tests[:least])
        for test in tests[least:]:
            spent += self.seconds[test]
            if spent > budget:
                break
            chosen.append(test)
        return chosen


class Recorder:
    """A plugin of pytest that notes which test runs which line of these files."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._seconds: dict[str, float] = defaultdict(float)
        self._failed: list[str] = []
        self._coverage = Coverage(data_file=None, config_file=False, include=[str(file) for file in files])
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Everything until the next test belongs to this one."""
        self._coverage.switch_context(item.nodeid)
        result = yield
        self._coverage.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """How long it took."""
        # What is set up for many tests is paid by the first that asks for it: it does not make that one slow.
        self._seconds[report.nodeid] += report.duration if report.when == "call" else min(report.duration, SHARED)
        if report.failed:
            self._failed.append(report.nodeid)

    def covering(self, loaded: Sequence[str]) -> Covering:
        """What has been noted; a test that fails without any mutant is of no use."""
        self._coverage.stop()
        data = self._coverage.get_data()
        good = {test for test in self._seconds if test not in self._failed}
        lines = {
            file: {line: [test for test in tests if test in good] for line, tests in contexts.items()}
            for file in self._files
            if (contexts := data.contexts_by_lineno(str(file)))
        }
        return Covering(lines, {test: self._seconds[test] for test in good}, loaded)
