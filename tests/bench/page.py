"""docs/performance.md: the table of one run, met or not line by line, with its charts in docs/performance/."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from deploy.local.home import CHECKOUT
from tests.bench.charts import drawn
from tests.bench.figures import Figure, rounded
from tests.bench.report import Report, Section, reported

PAGE = CHECKOUT / "docs" / "performance.md"
CHARTS = CHECKOUT / "docs" / "performance"
# Written by hand, beside what is made here.
PROFILE = "profile.md"
HEAD = """\
# Speed and memory

Made by `make bench` (`python -m tests.bench --page`), never by hand: one run, everything on one machine, through the
gateway, signed in, every guarantee on. A line that says *not met* is just that.
"""
ROWS = "| what | measured | before | promised | |\n|---|---:|---:|---:|---|"
BEFORE = CHECKOUT / "tests" / "bench" / "before.json"
"""The figures of an earlier run, by name."""
MOST_LOAD = 0.5


def write(report: Report) -> None:
    """Write the page and its charts, those of earlier runs removed."""
    CHARTS.mkdir(exist_ok=True)
    for old in CHARTS.glob("*.svg"):
        old.unlink()
    PAGE.write_text("\n\n".join(_parts(report)) + "\n")


def keep_before(reports: Sequence[Report]) -> None:
    """Keep the figures of earlier runs, to stand beside those of later ones; of one name the last counts."""
    runs = [f"{report.facts['date'][:10]}, commit `{report.facts['commit']}`" for report in reports]
    machines = dict.fromkeys(report.facts["machine"]["cpu"] for report in reports)
    figures = {f.name: f.value for report in reports for section in report.sections for f in section.figures}
    kept = {"run": f"{'; '.join(runs)}, on {' and '.join(machines)}", "figures": figures}
    BEFORE.write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _parts(report: Report) -> Iterator[str]:
    yield HEAD.rstrip()
    if report.quick:
        yield "**A quick run, to try the bench itself: no figure counts.**"
    yield _ground(report)
    if report.facts["machine"]["load_before"] > MOST_LOAD:
        yield "**Not for quoting: the machine was busy when the run began.**"
    if (CHARTS / PROFILE).exists():
        yield f"Where the time goes: [the profile](performance/{PROFILE})."
    yield "## All lines\n\n" + _rows([f for s in report.sections for f in s.figures if f.bound])
    for section in report.sections:
        yield from _section(section)


def _ground(report: Report) -> str:
    """Date, commit, machine and versions."""
    facts, machine = report.facts, report.facts["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return "\n".join(
        (
            f"- Run: {facts['date']}, commit `{facts['commit']}`, {report.seconds / 60:.0f} min",
            f"- Machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}; "
            f"load before the run {machine['load_before']}",
            f"- Versions: {versions}",
            f"- Before: {orjson.loads(BEFORE.read_bytes())['run']}",
        )
    )


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}"
    yield _rows(section.figures)
    yield "\n".join(f"- {figure.name}: {reported(figure.detail)}" for figure in section.figures if figure.detail)
    for figure in section.figures:
        if figure.chart:
            yield f"![{figure.chart.title}](performance/{_kept(section, figure).name})"


def _rows(figures: Sequence[Figure]) -> str:
    before = orjson.loads(BEFORE.read_bytes())["figures"]
    return "\n".join([ROWS, *(_row(figure, before.get(figure.name)) for figure in figures)])


def _row(figure: Figure, before: float | None) -> str:
    promised = f"{figure.bound} {figure.unit}".rstrip() if figure.bound else ""
    verdict = f"**{figure.verdict}**" if figure.met is False else figure.verdict
    measured = f"{rounded(figure.value)} {figure.unit}".rstrip()
    earlier = "" if before is None else f"{rounded(before)} {figure.unit}".rstrip()
    return f"| {figure.name} | {measured} | {earlier} | {promised} | {verdict} |"


def _kept(section: Section, figure: Figure) -> Path:
    """The file of a figure's chart, drawn."""
    assert figure.chart is not None
    file = CHARTS / f"{section.name}-{re.sub(r'[^a-z0-9]+', '-', figure.name.lower()).strip('-')}.svg"
    file.write_text(drawn(figure.chart))
    return file
