"""The shape of the code in figures, each with its limit: the tests hold them, ``make check`` prints them."""

import ast
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.architecture.code import Source, length, sources

OURS = ("services", "deploy")
ALL = (*OURS, "docs", "tests")
RUN = 6
"""This many equal lines in a row are a duplicate."""
_THIN = re.compile(r"[\W_]*|#.*")


@dataclass(frozen=True)
class Figure:
    """One measure, the most that it may be, and where that is reached or passed."""

    what: str
    found: float
    most: float
    where: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it stays within its limit."""
        return self.found <= self.most

    def __str__(self) -> str:
        line = f"{self.what:<36} {self.found:>5g}   at most {self.most:>3g}   {', '.join(self.where)}"
        return line.rstrip() if self.holds else f"{line.rstrip()}   TOO MUCH"


def of_functions() -> tuple[Figure, ...]:
    """How long the functions of the services and of what runs them are."""
    lengths = sorted((length(f), f"{source.name}:{f.name}") for source in sources(*OURS) for f in source.functions())
    only = [lines for lines, _ in lengths]
    return (
        Figure(f"lines of {len(only)} functions: median", statistics.median(only), 6),
        Figure("lines of functions: 90th percentile", only[int(len(only) * 0.9)], 20),
        _longest("lines of the longest function", lengths, 40),
    )


def of_files() -> tuple[Figure, ...]:
    """How long the files are: all of them, but the median without the tests."""
    lengths = sorted((source.text.count("\n"), source.name) for source in sources(*ALL))
    ours = [source.text.count("\n") for source in sources(*OURS)]
    return (
        Figure(f"lines of {len(ours)} files: median", statistics.median(ours), 80),
        _longest(f"lines of the largest of {len(lengths)} files", lengths, 300),
    )


def _longest(what: str, lengths: list[tuple[int, str]], most: int) -> Figure:
    """The last of these (lines, name), with all that are too long."""
    over = tuple(name for lines, name in lengths if lines > most)
    return Figure(what, lengths[-1][0], most, over or (lengths[-1][1],))


def of_duplicates() -> tuple[Figure, ...]:
    """How often the same lines stand in two places."""
    found = tuple(duplicates(sources(*ALL)))
    return (Figure(f"places where {RUN} lines stand again", len(found), 0, found),)


def duplicates(files: tuple[Source, ...]) -> Iterator[str]:
    """Where lines begin that stand elsewhere already: `a.py:10 ~ b.py:40`, one for each run of them."""
    places = defaultdict(list)
    for source in files:
        lines = list(_lines(source))
        for first in range(len(lines) - RUN + 1):
            window = tuple(text for _, text in lines[first : first + RUN])
            places[window].append((source.name, first, lines[first][0]))
    firsts = {(name, first): (places[w][0], line) for w in places for name, first, line in places[w][1:]}
    for (name, first), ((other, there, at), line) in sorted(firsts.items()):
        before = firsts.get((name, first - 1))
        if before is None or before[0][:2] != (other, there - 1):
            yield f"{name}:{line} ~ {other}:{at}"


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    """The lines that say something: not imports, comments and lone punctuation."""
    imports = [node for node in ast.walk(source.tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    passed = {line for node in imports for line in range(node.lineno, (node.end_lineno or 0) + 1)}
    for number, text in enumerate(source.text.split("\n"), 1):
        if number not in passed and not _THIN.fullmatch(text.strip()):
            yield number, text.strip()


MEASURES = (of_functions, of_files, of_duplicates)


def main() -> None:
    """Print every figure; ends with 1 where one is over its limit."""
    figures = [figure for measure in MEASURES for figure in measure()]
    sys.stdout.writelines(f"{figure}\n" for figure in figures)
    raise SystemExit(0 if all(figure.holds for figure in figures) else 1)


if __name__ == "__main__":
    main()
