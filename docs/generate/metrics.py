"""The page of metrics."""

from prometheus_client.metrics import MetricWrapperBase

from docs.generate import catalogue, tables


def page() -> str:
    """Every metric that the code declares, with its labels."""
    rows = sorted(_row(thing) for module in catalogue.metrics() for thing in vars(module).values() if _is_metric(thing))
    known = (
        "Each process serves its own at `/metrics`, not through the gateway. No label holds an id or a person's data. "
        "Envoy's own are at `/metrics` of `LINLI_PORT_GATEWAY_METRICS`, where nothing else of its administration is."
    )
    return tables.page("Metrics", known, tables.table(("metric", "type", "labels", "meaning"), rows))


def _is_metric(thing: object) -> bool:
    return isinstance(thing, MetricWrapperBase)


def _row(metric: MetricWrapperBase) -> tuple[str, str, str, str]:
    family = next(iter(metric.describe()))
    name = f"{family.name}_total" if family.type == "counter" else family.name
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)
    return f"`{name}`", family.type, labels, family.documentation
