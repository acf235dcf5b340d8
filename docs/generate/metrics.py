"""The page of metrics."""

from prometheus_client.metrics import MetricWrapperBase

from docs.generate import tables
from services.chassis.telemetry import metrics


def page() -> str:
    """Every metric that the code declares, with its labels."""
    rows = sorted(_row(thing) for thing in vars(metrics).values() if isinstance(thing, MetricWrapperBase))
    known = (
        "Each process serves its own at `/metrics`, not through the gateway. No label holds an id or a person's data."
    )
    return tables.page("Metrics", known, tables.table(("metric", "type", "labels", "meaning"), rows))


def _row(metric: MetricWrapperBase) -> tuple[str, str, str, str]:
    family = next(iter(metric.describe()))
    name = f"{family.name}_total" if family.type == "counter" else family.name
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)
    return f"`{name}`", family.type, labels, family.documentation
