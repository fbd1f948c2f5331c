import asyncio
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from x25.graph.run import open_cascade
from x25.graph.tracing import ENDS_WITHIN_S, MOST_WAITING, Traces, _provider, tracing
from x25.state.errors import CallFailed, ConfigError


@pytest.fixture
def collector():
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", received
    server.shutdown()


def spans_of(received):
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    found = []
    for path, body in received:
        assert path == "/v1/traces"
        message = ExportTraceServiceRequest.FromString(body)
        found += [span for one in message.resource_spans for scope in one.scope_spans for span in scope.spans]
    return found


def told(span):
    def value(given):
        kind = given.WhichOneof("value")
        return (
            [value(one) for one in given.array_value.values]
            if kind == "array_value"
            else getattr(given, kind)
        )

    return {one.key: value(one.value) for one in span.attributes}


async def test_a_call_and_its_requests_are_told_by_the_conventions_without_a_word(settings, collector, fault):
    url, received = collector
    async with open_cascade(settings.model_copy(update={"otel_endpoint": url})) as cascade:
        await cascade.route({"prompt": "What is 17 * 23? marmalade", "org": "lab", "router": "sim/small-2"})
        fault("500")
        with pytest.raises(CallFailed):
            await cascade.route({"prompt": "marmalade", "router": "sim/small-2"})
    spans = spans_of(received)
    calls, requests = (
        [one for one in spans if (one.name == "x25.call") is is_call] for is_call in (True, False)
    )
    assert sorted(told(one)["x25.status"] for one in calls) == ["answered", "failed"]
    good = next(one for one in requests if not told(one).get("error.type"))
    facts = told(good)
    assert good.name == "chat sim/small-2"
    assert (facts["gen_ai.operation.name"], facts["gen_ai.request.model"]) == ("chat", "sim/small-2")
    assert facts["gen_ai.usage.output_tokens"] > 0
    assert facts["gen_ai.response.finish_reasons"] == ["stop"]
    (call,) = [one for one in calls if told(one)["x25.status"] == "answered"]
    assert good.parent_span_id == call.span_id
    assert call.start_time_unix_nano <= good.start_time_unix_nano < good.end_time_unix_nano
    assert {told(one).get("error.type") for one in requests} == {None, "server"}
    assert not any(b"marmalade" in body for _, body in received)


@pytest.mark.slow
@pytest.mark.parametrize("dead", ["closed", "hanging"])
async def test_a_dead_collector_costs_no_time_and_no_memory(settings, dead, cascade):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if dead == "hanging":
            listener.listen(64)
        seen = []
        object.__setattr__(cascade.services, "tell_call", lambda call, row: seen.append((call, row)))
        await cascade.route({"prompt": "hi"})
        began_s = time.monotonic()
        async with tracing(f"http://127.0.0.1:{listener.getsockname()[1]}") as tell:
            (call, row), took = seen[0], []
            for _ in range(4000):
                at = time.perf_counter()
                tell(call, row)
                took.append(time.perf_counter() - at)
            await asyncio.sleep(0)
            waiting = tell.__self__._tracer.span_processor._span_processors[0]._batch_processor._queue
            assert len(waiting) <= MOST_WAITING
            assert sorted(took)[len(took) // 2] < 0.001
        assert time.monotonic() - began_s < 4000 * 0.001 + ENDS_WITHIN_S + 4


async def test_it_is_off_unless_asked_for_and_says_what_is_missing(monkeypatch):
    async with tracing("") as tell:
        assert tell is None
    with pytest.raises(ConfigError, match="http address"):
        _provider("localhost:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match=r"x25\[otel\]"):
        _provider("http://localhost:4318")
    assert Traces
