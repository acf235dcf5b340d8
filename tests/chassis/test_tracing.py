"""Spans: what they tell of an error, and of what brought them about; also where no traces are exported."""

import re
import threading
from collections.abc import Sequence

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from services.chassis.telemetry import tracing

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What goes out over OTLP."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("linli"))
    return exporter


def only(exporter: InMemorySpanExporter) -> ReadableSpan:
    (span,) = exporter.get_finished_spans()
    return span


def test_an_error_is_exported_by_its_class_and_never_by_its_text(exported: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="13800000000"), tracing.span("work"):
        raise ValueError("13800000000 is no phone number")
    span = only(exported)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError")
    assert "13800000000" not in span.to_json()


def test_work_that_goes_well_has_no_status(exported: InMemorySpanExporter) -> None:
    with tracing.span("work", PARENT) as inner:
        pass
    span = only(exported)
    assert span.status.status_code is StatusCode.UNSET
    assert (span.kind, span.links) == (SpanKind.INTERNAL, ())
    assert span.context is not None
    assert inner == f"00-{TRACE}-{span.context.span_id:016x}-01"


def test_what_a_record_brought_about_is_linked_to_its_trace_and_in_it(exported: InMemorySpanExporter) -> None:
    with tracing.span_because_of("reaction", PARENT):
        pass
    span = only(exported)
    assert (span.kind, [f"{link.context.span_id:016x}" for link in span.links]) == (SpanKind.CONSUMER, [SPAN])
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}" == TRACE


def test_spans_are_sent_only_where_an_address_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[TracerProvider] = []
    monkeypatch.setattr(trace, "set_tracer_provider", given.append)
    tracing.export_to(None, "members", "web")
    assert given == []
    tracing.export_to("http://127.0.0.1:1/v1/traces", "members", "web")
    (provider,) = given
    assert provider.resource.attributes == {"service.name": "linli-members", "linli.role": "web"}
    provider.shutdown()


def test_traces_that_nobody_takes_do_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = threading.Event()

    class Deaf(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            taken.wait()
            return SpanExportResult.FAILURE

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Deaf()))
    provider.get_tracer("linli").start_span("work").end()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(tracing, "_FLUSH_SECONDS", 0.2)
    tracing.flush()
    assert not taken.is_set(), "it came back although nobody had taken them"
    taken.set()


def test_a_record_without_a_trace_begins_one() -> None:
    with tracing.span_because_of("reaction", None) as one, tracing.span_because_of("reaction", None) as other:
        assert all(re.fullmatch(r"00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-01", made) for made in (one, other))
        assert one != other
