"""A collector of traces: takes them over OTLP/HTTP as a city's own would, and keeps them."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    """Of one span, what the tests ask for; ``process`` such as linli-notify worker."""

    trace: str
    id: str
    parent: str
    name: str
    process: str


@dataclass
class Collector:
    """What has come."""

    address: str
    raw: list[bytes] = field(default_factory=list)

    def spans(self, trace: str) -> list[Span]:
        """All spans of one trace that have come so far."""
        return [span for body in self.raw for span in _spans(body) if span.trace == trace]


def _spans(body: bytes) -> Iterator[Span]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        named = {one.key: one.value.string_value for one in resource.resource.attributes}
        process = f"{named['service.name']} {named['linli.role']}"
        for scope in resource.scope_spans:
            for span in scope.spans:
                ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                yield Span(*ids, name=span.name, process=process)


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port."""
    raw: list[bytes] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            raw.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the tests' own output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield Collector(f"http://127.0.0.1:{server.server_port}/v1/traces", raw)
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
