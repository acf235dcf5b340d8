"""The page of metrics."""

from typing import Any

from prometheus_client import REGISTRY

from docs.generate import tables
from services.chassis.ops import metrics


def page() -> str:
    """Every metric that the code declares, with its labels."""
    collectors = [thing for thing in vars(metrics).values() if hasattr(thing, "describe")]
    rows = sorted(_row(collector) for collector in collectors)
    known = (
        "Each process serves its own at `/metrics`, not through the gateway. No label holds an id or a person's data."
    )
    return tables.page("Metrics", known, tables.table(("metric", "type", "labels", "meaning"), rows))


def _row(collector: Any) -> tuple[str, str, str, str]:
    family = collector.describe()[0]
    name = f"{family.name}_total" if family.type == "counter" else family.name
    labels = ", ".join(f"`{label}`" for label in collector._labelnames)
    assert REGISTRY is not None
    return f"`{name}`", family.type, labels, family.documentation
