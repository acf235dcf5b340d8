"""Exports spans over OTLP/HTTP. ``tracing`` loads this module only if an endpoint is set."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def provider(endpoint: str, service: str, role: str) -> TracerProvider:
    """A provider that sends the spans of this process to ``endpoint``."""
    resource = Resource({"service.name": f"linli-{service}", "linli.role": role})
    # ``tracing.flush`` shuts it down, and waits less
    sending = TracerProvider(resource=resource, shutdown_on_exit=False)
    sending.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=5)))
    return sending
