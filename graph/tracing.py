"""Traces of calls for an OpenTelemetry collector: `X25_OTEL_ENDPOINT`, with `pip install 'x25[otel]'`.

Spans are made once a call is written down, of what is known of it then: one of the call, and one of each request to a
model below it, named and described by the semantic conventions for generative AI. They hold no prompt and no answer.
They wait in a queue of bounded length for a thread that sends them: where the collector is slow or gone the newest are
dropped, and no call waits.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from threading import Thread
from typing import TYPE_CHECKING

from ..state.errors import ConfigError
from ..state.records import Attempt, Call, usd_from_nusd
from ..state.working_memory import Learned

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.util.types import AttributeValue

MOST_WAITING = 2048
"""Spans that wait to be sent; more are dropped."""
SENDS_WITHIN_S = 5.0
"""How long the collector may take for one batch."""
ENDS_WITHIN_S = 2.0
"""How long the end of the gateway waits for what was not sent yet."""
TellCall = Callable[[Learned, Call], None]


@asynccontextmanager
async def tracing(endpoint: str) -> AsyncIterator[TellCall | None]:
    """Yield what is told of each call; None for an empty endpoint.

    Parameters
    ----------
    endpoint
        Base address of an OTLP collector that speaks HTTP, such as ``http://localhost:4318``.

    Raises
    ------
    ConfigError
        When OpenTelemetry's SDK is not installed, or the address is none.
    """
    if not endpoint:
        yield None
        return
    provider = await asyncio.to_thread(_provider, endpoint)
    try:
        yield Traces(provider).tell
    finally:
        ending = Thread(target=provider.shutdown, name="x25 traces end", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, ENDS_WITHIN_S)


def _provider(endpoint: str) -> "TracerProvider":
    if not endpoint.startswith(("http://", "https://")):
        raise ConfigError(f"X25_OTEL_ENDPOINT must be an http address, got {endpoint!r}")
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("X25_OTEL_ENDPOINT needs OpenTelemetry: pip install 'x25[otel]'") from error
    # A collector that is gone would be complained of with every batch.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    provider = TracerProvider(resource=Resource.create({"service.name": "x25"}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=SENDS_WITHIN_S)
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=MOST_WAITING, max_export_batch_size=MOST_WAITING // 4)
    )
    return provider


class Traces:
    """Makes the spans of calls."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context  # noqa: PLC0415 - an extra

        self._tracer = provider.get_tracer("x25")
        self._kinds = SpanKind
        self._failed = Status(StatusCode.ERROR)
        self._below = set_span_in_context

    def tell(self, call: Learned, row: Call) -> None:
        """Make the spans of a call that was written down."""
        began_ns = _ns(row.created_at)
        span = self._tracer.start_span(
            "x25.call",
            kind=self._kinds.SERVER,
            start_time=began_ns,
            attributes={
                "x25.org": row.org,
                "x25.call_id": row.call_id,
                "x25.router": row.router,
                "x25.status": row.status,
                "x25.task_type": row.task_type,
                "x25.escalations": row.escalations,
                "x25.fallbacks": row.fallbacks,
                "x25.cost_usd": usd_from_nusd(row.cost_nusd),
                "x25.judge_cost_usd": usd_from_nusd(row.judge_cost_nusd),
                **({} if row.model_id is None else {"gen_ai.response.model": row.model_id}),
            },
        )
        for node in call.timings:
            span.set_attribute(f"x25.node.{node['node']}_ms", node["ms"])
        if row.status != "answered":
            span.set_status(self._failed)
        context = self._below(span)
        for answer in call.answers:
            for attempt in answer.attempts:
                below = self._tracer.start_span(
                    f"chat {attempt.model_id}",
                    context,
                    kind=self._kinds.CLIENT,
                    start_time=_ns(attempt.started_at),
                    attributes=attributes_of(attempt, answer.provider, answer.finish_reason),
                )
                if attempt.error is not None:
                    below.set_status(self._failed)
                below.end(_ns(attempt.finished_at or attempt.started_at))
        span.end(began_ns + int(row.latency_ms * 1e6))


def attributes_of(attempt: Attempt, provider: str, finish_reason: str | None) -> "dict[str, AttributeValue]":
    """Return what the conventions say of one request to a model.

    Source: OpenTelemetry, Semantic conventions for generative AI client spans (development status, 1.37 and later).
    """
    found: dict[str, AttributeValue] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": attempt.model_id,
        "gen_ai.usage.input_tokens": attempt.prompt_tokens,
        "gen_ai.usage.output_tokens": attempt.completion_tokens,
        "x25.kind": attempt.kind,
        "x25.step": attempt.step,
        "x25.deployment": attempt.deployment,
        "x25.cost_usd": usd_from_nusd(attempt.spent_nusd),
        "x25.cost_source": attempt.cost_source or "reserved",
    }
    if attempt.error is not None:
        found["error.type"] = attempt.error
    elif attempt.kind == "answer" and finish_reason is not None:
        found["gen_ai.response.finish_reasons"] = (finish_reason,)
    return found


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1e9)
