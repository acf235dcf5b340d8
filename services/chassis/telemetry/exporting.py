"""Where spans go: over OTLP/HTTP. Loaded by ``tracing`` only, and only where somebody takes them."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def provider(endpoint: str, service: str, role: str) -> TracerProvider:
    """What sends the spans of this process to ``endpoint``."""
    resource = Resource({"service.name": f"linli-{service}", "linli.role": role})
    sending = TracerProvider(resource=resource, shutdown_on_exit=False)  # ``tracing.flush`` does it, and waits less
    sending.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=5)))
    return sending
