import json
import time

from x25.state.meter import FAMILIES, Meter


def test_what_is_counted_is_told_as_json():
    meter = Meter()
    meter.add("x25_calls", ("answered", "slm"))
    meter.add("x25_calls", ("answered", "slm"), 2)
    meter.observe("x25_first_token_seconds", (), 0.3)
    told = json.loads(json.dumps(meter.told()))
    assert told["counts"] == [["x25_calls", ["answered", "slm"], 3]]
    ((name, labels, counts, total),) = told["histograms"]
    assert (name, labels, sum(counts), total) == ("x25_first_token_seconds", [], 1, 0.3)
    assert counts[FAMILIES[name].bounds.index(0.5)] == 1


def test_the_figures_of_a_call_cost_far_less_than_twenty_microseconds():
    meter = Meter()

    def a_call():
        for node in range(9):
            meter.observe("x25_node_seconds", (str(node),), 0.002)
        for name, labels in (("x25_calls", ("answered", "slm")), ("x25_http_requests", ("/route", "200")),
                             ("x25_attempts", ("m", "finished")), ("x25_cost_dollars", ("m",)),
                             ("x25_tokens", ("m", "prompt")), ("x25_tokens", ("m", "completion"))):  # fmt: skip
            meter.add(name, labels)
        meter.observe("x25_call_seconds", ("answered",), 0.2)

    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(100):
            a_call()
        best = min(best, (time.perf_counter() - began) / 100)
    assert best < 20e-6, f"{best * 1e6:.1f} µs"
