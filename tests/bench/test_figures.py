"""What is said of a run follows from what was measured."""

import math
from pathlib import Path
from xml.etree import ElementTree

from tests.bench import operations
from tests.bench.charts import drawn
from tests.bench.figures import Bars, Figure, Lines, Spread, at_least, at_most, rounded
from tests.bench.report import Report, Section
from tests.bench.soak import _slope


def test_a_bound_is_met_up_to_its_limit_and_never_by_what_is_no_number() -> None:
    assert Figure("p50", 8.0, "ms", at_most(8)).met is True
    assert Figure("p50", 8.01, "ms", at_most(8)).verdict == "not met"
    assert Figure("share", 0.5, "×", at_least(0.5)).met is True
    assert Figure("p50", math.nan, "ms", at_most(8)).met is False
    assert Figure("p50", 3, "ms").met is None


def test_a_spread_gives_values_that_were_measured() -> None:
    spread = Spread.of([float(n) for n in range(100, 0, -1)])
    assert (spread.count, spread.p50, spread.p90, spread.p99, spread.max) == (100, 50, 90, 99, 100)
    assert math.isnan(Spread.of([]).p99)


def test_numbers_are_written_as_a_person_reads_them() -> None:
    assert [rounded(value) for value in (0, 1234.5, 12.34, 0.126, math.inf)] == ["0", "1,234", "12.3", "0.13", "—"]


def test_charts_are_valid_and_leave_a_gap_where_nothing_was_measured() -> None:
    lines = Lines("p99 < 5 & more", "ms", 1, {"a": [1, None, 3, 4], "b": [0, 0, 0, 0]})
    first = ElementTree.fromstring(drawn(lines)).find("{http://www.w3.org/2000/svg}path")
    assert first is not None
    assert first.attrib["d"].count("M") == 2
    ElementTree.fromstring(drawn(Bars("nothing yet", "s", {"a": math.nan, "b": 0.0})))


def test_a_report_that_was_kept_makes_the_same_page_again(tmp_path: Path) -> None:
    bars, lines = Bars("b", "/s", {"x": 1.0}), Lines("l", "ms", 1, {"y": [1.0, None]})
    figures = [
        Figure("a", 3, "", at_most(4), {"of": [1, 2]}, bars),
        Figure("b", 0.5, "ms", at_least(1), chart=lines),
        Figure("c", math.nan, "s", at_most(1)),
    ]
    facts = {"date": "2026-11-30", "commit": "abc", "machine": {"cpu": "x"}, "versions": {"python": "3"}}
    report = Report(facts, False, [Section("s", "S", figures, 1.0)], 2.0)
    report.write(tmp_path / "kept.json")
    again = Report.read(tmp_path / "kept.json")
    assert (again.facts, again.sections[0].figures[:2]) == (facts, figures[:2])
    assert again.sections[0].figures[2].verdict == "not met"


def test_growth_is_distinguished_from_a_jump() -> None:
    leak = [100 + n * 0.5 for n in range(60)]
    jump = [100.0] * 50 + [140.0] * 10
    assert round(_slope(leak, 3), 1) == 600.0
    assert _slope(jump, 3) == 0


def test_operations_are_reported_by_database_and_fit_into_the_report() -> None:
    before = {"requests find": 10, "requests journal": 5, "notify find": 0}
    after = {"requests find": 50, "requests journal": 15, "notify find": 10}
    figure = operations.each("create", before, after, 10)
    assert (figure.value, figure.detail) == (5, {"requests find": 4, "requests journal": 1, "notify find": 1})
    assert figure.to_json()["chart"]["rows"] == {"requests": 4, "notify": 1}
