"""One trace id from the gateway through Kafka to the message, even if no traces are exported."""

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from threading import Thread
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bound_contextvars

from services.chassis.telemetry.lazy import lazy_import

_PROPAGATOR = TraceContextTextMapPropagator()
_REQUEST_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_FLUSH_SECONDS = 3.0
_tracer = trace.get_tracer("linli")
_here: ContextVar[str | None] = ContextVar("traceparent", default=None)


def export_to(endpoint: str | None, service: str, role: str) -> None:
    """Send spans over OTLP/HTTP to ``endpoint``; without one nothing is sent."""
    if endpoint is None:
        return
    provider = lazy_import("services.chassis.telemetry.exporting", "provider")
    trace.set_tracer_provider(provider(endpoint, service, role))


def parent_of(headers: Mapping[str, str]) -> str:
    """The caller's ``traceparent`` if it is well formed, else one with the gateway's request id as trace id."""
    given = _extracted(headers.get("traceparent"))
    if given.is_valid:
        return f"00-{given.trace_id:032x}-{given.span_id:016x}-{given.trace_flags:02x}"
    request_id = headers.get("x-request-id", "")
    return new_parent(request_id.replace("-", "") if _REQUEST_ID.fullmatch(request_id) else None)


def new_parent(trace_id: str | None = None) -> str:
    """A new trace, as ``traceparent``."""
    return f"00-{trace_id or secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def id_of(parent: str) -> str:
    """The trace id in a ``traceparent``: 32 hexadecimal digits."""
    return parent.split("-")[1]


@contextmanager
def span(name: str, parent: str | None = None) -> Iterator[str]:
    """Work under a span, with the trace id in every log line; yields the ``traceparent`` for what follows."""
    with _started(name, parent) as current:
        yield current


@contextmanager
def span_because_of(name: str, recorded: str | None) -> Iterator[str]:
    """As ``span``, for work that a recorded event caused: in its trace, and linked to it."""
    with _started(name, recorded, SpanKind.CONSUMER) as current:
        yield current


@contextmanager
def bound(parent: str | None) -> Iterator[None]:
    """Add the trace id to log lines, without a span."""
    known = _extracted(parent)
    with bound_contextvars(**({"trace_id": f"{known.trace_id:032x}"} if known.is_valid else {})):
        yield


def flush() -> None:
    """Send pending spans before the process ends; gives up after three seconds."""
    if _has_provider():
        provider: Any = trace.get_tracer_provider()  # processors that send spans can be shut down
        ending = Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(_FLUSH_SECONDS)


@contextmanager
def _started(name: str, parent: str | None, kind: SpanKind = SpanKind.INTERNAL) -> Iterator[str]:
    if not _is_exported():
        above_us = None if kind is SpanKind.CONSUMER else _here.get()
        with _followed(parent or above_us or new_parent()) as followed:
            yield followed
        return
    above = _context(parent) if parent else None
    links = [Link(_span_context(parent))] if parent and kind is SpanKind.CONSUMER else []
    with _current(name, above, kind, links) as current, _failing_by_class(current):
        inner = current.get_span_context()
        known = inner if inner.is_valid else _span_context(parent or new_parent())
        with bound_contextvars(trace_id=f"{known.trace_id:032x}"):
            yield f"00-{known.trace_id:032x}-{known.span_id:016x}-01"


def _is_exported() -> bool:
    """Whether spans are exported: otherwise they would only cost time."""
    return not isinstance(_tracer, trace.ProxyTracer) or _has_provider()


def _has_provider() -> bool:
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider)


@contextmanager
def _followed(parent: str) -> Iterator[str]:
    """The trace without spans: its id stays in log lines and in what follows."""
    known = parent if _extracted(parent).is_valid else new_parent()
    before = _here.set(known)
    try:
        with bound_contextvars(trace_id=id_of(known)):
            yield known
    finally:
        _here.reset(before)


def _current(name: str, above: Context | None, kind: SpanKind, links: Sequence[Link]) -> AbstractContextManager[Span]:
    # Not the library's way of recording errors: their texts may contain personal data.
    return _tracer.start_as_current_span(
        name, above, kind, links=links, record_exception=False, set_status_on_exception=False
    )


@contextmanager
def _failing_by_class(current: Span) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        current.set_status(Status(StatusCode.ERROR, type(error).__name__))
        raise


def _context(parent: str) -> Context:
    return trace.set_span_in_context(NonRecordingSpan(_span_context(parent)))


def _span_context(parent: str) -> SpanContext:
    """Sampled, whatever the caller does with its own spans."""
    known = _extracted(parent)
    return SpanContext(known.trace_id, known.span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _extracted(parent: str | None) -> SpanContext:
    """What a ``traceparent`` says; not valid where it is none."""
    return trace.get_current_span(_PROPAGATOR.extract({"traceparent": parent or ""}, Context())).get_span_context()
