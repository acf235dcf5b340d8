"""Charts as small SVG files, drawn by hand: they show wherever an image does, in light and in dark."""

import math
from collections.abc import Sequence
from html import escape

from tests.bench.figures import Bars, Lines, rounded

WIDTH, LEFT, RIGHT, TOP = 720, 190, 80, 34
ROW, PLOT, LEGEND = 22, 180, 18
IN_A_ROW = 4
COLOURS = ("#2f6fab", "#c8553d", "#5b8c5a", "#8a6fb0", "#b8860b", "#3a9e9e", "#b0567f", "#777777")
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}" '
    'font-family="sans-serif" font-size="12">\n'
    '<rect width="100%" height="100%" fill="#ffffff"/>\n'
    '<text x="12" y="20" font-size="14" font-weight="bold" fill="#222">{title}</text>\n'
)


def drawn(chart: Bars | Lines) -> str:
    """The chart as SVG."""
    return _bars(chart) if isinstance(chart, Bars) else _lines(chart)


def _bars(chart: Bars) -> str:
    room = WIDTH - LEFT - RIGHT
    widest = max((v for v in chart.rows.values() if math.isfinite(v)), default=1) or 1
    rows = []
    for place, (name, value) in enumerate(chart.rows.items()):
        y, length = TOP + place * ROW, max(0.0, room * value / widest) if math.isfinite(value) else 0
        rows.append(_text(LEFT - 8, y + 14, name, "end"))
        rows.append(f'<rect x="{LEFT}" y="{y + 3}" width="{length:.1f}" height="15" fill="{COLOURS[0]}"/>')
        rows.append(_text(LEFT + length + 6, y + 14, f"{rounded(value)} {chart.unit}"))
    return _framed(chart.title, TOP + len(chart.rows) * ROW + 12, rows)


def _lines(chart: Lines) -> str:
    values = [v for line in chart.series.values() for v in line if v is not None and math.isfinite(v)]
    top = _nice(max(values, default=1) or 1)
    longest = max(map(len, chart.series.values()), default=2)
    parts = [_grid(top, chart.unit), _text(60, TOP + PLOT + 18, "0 s")]
    parts.append(_text(WIDTH - 20, TOP + PLOT + 18, f"{longest * chart.step:g} s", "end"))
    for place, (name, line) in enumerate(chart.series.items()):
        colour = COLOURS[place % len(COLOURS)]
        x, y = 60 + place % IN_A_ROW * 165, TOP + PLOT + 28 + place // IN_A_ROW * LEGEND
        parts.append(f'<path d="{_path(line, top, longest)}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        parts.append(f'<rect x="{x}" y="{y}" width="12" height="10" fill="{colour}"/>')
        parts.append(_text(x + 17, y + 9, name))
    rows = math.ceil(len(chart.series) / IN_A_ROW)
    return _framed(chart.title, TOP + PLOT + 28 + rows * LEGEND, parts)


def _path(line: Sequence[float | None], top: float, longest: int) -> str:
    """Through all points; a gap where one is missing."""
    steps, pen = [], "M"
    for place, value in enumerate(line):
        if value is None or not math.isfinite(value):
            pen = "M"
            continue
        x = 60 + (WIDTH - 80) * place / max(1, longest - 1)
        steps.append(f"{pen}{x:.1f} {TOP + PLOT - PLOT * value / top:.1f}")
        pen = "L"
    return " ".join(steps)


def _grid(top: float, unit: str) -> str:
    lines = []
    for part in range(5):
        y = TOP + PLOT - PLOT * part / 4
        lines.append(f'<line x1="60" x2="{WIDTH - 20}" y1="{y}" y2="{y}" stroke="#ddd"/>')
        lines.append(_text(54, y + 4, f"{top * part / 4:g}" + (f" {unit}" if part == 4 else ""), "end"))
    return "\n".join(lines)


def _nice(value: float) -> float:
    """The next round number above."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 1.2, 1.6, 2, 3, 4, 6, 8, 10) if power * step >= value)


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="#333" text-anchor="{anchor}">{escape(words)}</text>'


def _framed(title: str, height: int, parts: Sequence[str]) -> str:
    return HEAD.format(width=WIDTH, height=height, title=escape(title)) + "\n".join(parts) + "\n</svg>\n"
