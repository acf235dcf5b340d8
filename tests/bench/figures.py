"""What a measurement yields: figures with their stated bounds, distributions, and charts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Bound:
    """What was promised, in the unit of the figure."""

    word: Literal["≤", "≥"]
    limit: float

    def holds(self, value: float) -> bool:
        """Whether a value keeps it; one that is not a number never does."""
        return value <= self.limit if self.word == "≤" else value >= self.limit

    def __str__(self) -> str:
        return f"{self.word} {self.limit:g}"


def at_most(limit: float) -> Bound:
    """A value may not be above this."""
    return Bound("≤", limit)


def at_least(limit: float) -> Bound:
    """A value may not be below this."""
    return Bound("≥", limit)


@dataclass(frozen=True)
class Bars:
    """A chart with one bar for each name."""

    title: str
    unit: str
    rows: Mapping[str, float]


@dataclass(frozen=True)
class Lines:
    """A chart with one line for each name; the points of all lie ``step`` seconds apart. None leaves a gap."""

    title: str
    unit: str
    step: float
    series: Mapping[str, Sequence[float | None]]


@dataclass(frozen=True)
class Figure:
    """One number of one run; ``detail`` is what one wants to know beside it, ``chart`` is drawn on the page."""

    name: str
    value: float
    unit: str
    bound: Bound | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    chart: Bars | Lines | None = None

    @property
    def met(self) -> bool | None:
        """Whether the bound holds; None where nothing was promised."""
        return None if self.bound is None else self.bound.holds(self.value)

    @property
    def verdict(self) -> str:
        """The same in words."""
        return {None: "", True: "met", False: "not met"}[self.met]

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Figure":
        """What ``to_json`` made."""
        bound, chart = given["bound"], given["chart"]
        kind = Bars if chart and "rows" in chart else Lines
        # Of what is no number, such as a recovery that never came, JSON has null.
        value = math.nan if given["value"] is None else given["value"]
        return cls(
            given["name"],
            value,
            given["unit"],
            bound and Bound(**bound),
            given["detail"],
            chart and kind(**chart),
        )

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        reported = {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "met": self.met,
            "detail": dict(self.detail),
        }
        return {
            **reported,
            "bound": self.bound and asdict(self.bound),
            "chart": self.chart and asdict(self.chart),
        }


@dataclass(frozen=True)
class Spread:
    """How many values are distributed; all are nan where there are none."""

    count: int
    p50: float
    p90: float
    p99: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of values in any order."""
        ordered = sorted(values)
        return cls(len(ordered), *(quantile(ordered, share) for share in (0.5, 0.9, 0.99, 1)))

    def reported(self) -> dict[str, float]:
        """Rounded, as the detail of a figure."""
        return {name: round(value, 2) for name, value in asdict(self).items()}


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed (nearest rank); nan where there are none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def rounded(value: float) -> str:
    """As a person reads it: a count as it is, anything else with three digits that matter; thousands apart."""
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return "—"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"
