"""Traces: W3C context in and out of every hop, spans only when there is somewhere to send them."""

from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

HEADER = "traceparent"
MAX_HEADER = 256


@dataclass(slots=True)
class OpenSpan:
    """A span under way and the token that takes it out of the current context."""

    span: Span
    token: object


class Tracing:
    """The tracer of one process. Without a provider it records nothing and only hands `traceparent` on."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("factoryai.chassis") if provider else None
        self._propagator = TraceContextTextMapPropagator()

    @classmethod
    def exporting(cls, processor: SpanProcessor, *, process: str, ratio: float) -> "Tracing":
        """Record spans, `ratio` of new traces, and hand them to `processor`."""
        provider = TracerProvider(
            resource=Resource.create({"service.name": f"factoryai-{process}"}),
            sampler=ParentBased(TraceIdRatioBased(ratio)),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(processor)
        return cls(provider)

    @classmethod
    def otlp(cls, endpoint: str | None, *, process: str, ratio: float) -> "Tracing":
        """Send spans to an OTLP collector over gRPC, or record none when no endpoint is configured."""
        if not endpoint:
            return cls()
        insecure = not endpoint.startswith("https://")
        exporter = BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, insecure=insecure))
        return cls.exporting(exporter, process=process, ratio=ratio)

    @property
    def recording(self) -> bool:
        """Whether spans are made at all."""
        return self._tracer is not None

    def begin(self, name: str, kind: SpanKind, headers: Mapping[str, str], attributes: Mapping[str, str]) -> OpenSpan:
        """Open a span under the trace context in `headers`, or under the current one, and make it current."""
        if self._tracer is None:
            raise RuntimeError("tracing is off; ask `recording` first")
        parent = self._propagator.extract({HEADER: headers[HEADER]}) if HEADER in headers else None
        span = self._tracer.start_span(name, parent, kind=kind, attributes=attributes)
        return OpenSpan(span, otel_context.attach(trace.set_span_in_context(span)))

    def end(self, opened: OpenSpan, code: str, *, failed: bool) -> None:
        """Close a span with the gRPC code that the call ended with."""
        opened.span.set_attribute("rpc.grpc.status_code", code)
        if failed:
            opened.span.set_status(Status(StatusCode.ERROR, code))
        opened.span.end()
        otel_context.detach(opened.token)  # type: ignore[arg-type]

    def current(self, otherwise: str) -> str:
        """Return the `traceparent` to send: of the current span, or `otherwise` when there is none."""
        if self._tracer is None:
            return otherwise
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get(HEADER, otherwise)

    def close(self) -> None:
        """Send what is left and stop. Blocks for as long as the exporter does; run it in a thread."""
        if self._provider is not None:
            self._provider.shutdown()
