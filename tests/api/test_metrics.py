import asyncio
import json

from prometheus_client.parser import text_string_to_metric_families

from x25.api.metrics import COUNTERS, GAUGES, Board, exposition
from x25.state.meter import FAMILIES, Meter


def figures(**counts):
    meter = Meter()
    for path, count in counts.items():
        meter.add("x25_http_requests", (f"/{path}", "200"), count)
    return {**meter.told(), "states": {"x25_calls_open": 3}}


def samples(text):
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text.decode())
        for one in family.samples
    }


def test_every_family_is_told_once_and_histograms_add_up():
    meter = Meter()
    for value in (0.0005, 0.003, 0.003, 500.0):
        meter.observe("x25_call_seconds", ("answered",), value)
    text = exposition({"0": {**meter.told(), "states": {}}})
    found = samples(text)
    labels = (("status", "answered"), ("worker", "0"))
    assert found["x25_call_seconds_count", labels] == 4
    assert found["x25_call_seconds_bucket", (("le", "0.005"), *labels)] == 3
    assert found["x25_call_seconds_bucket", (("le", "120.0"), *labels)] == 3
    assert found["x25_call_seconds_bucket", (("le", "+Inf"), *labels)] == 4
    names = {family.name for family in text_string_to_metric_families(text.decode())}
    assert names == {*FAMILIES, *GAUGES, *COUNTERS, "x25_breaker_state"}


async def test_workers_tell_each_others_figures_apart(tmp_path):
    first, second, alone = Board(tmp_path, 0), Board(tmp_path, 1), Board(None, 0)
    first.leave(figures(route=1))
    leaving = asyncio.create_task(first.leave_for_ever(lambda: figures(route=2)))
    while json.loads((tmp_path / "0.json").read_text())["counts"][0][2] != 2:
        await asyncio.sleep(0.01)
    leaving.cancel()
    (tmp_path / "2.json").write_text("{half")
    found = samples(exposition(second.all(figures(route=5))))
    counted = {labels: value for (name, labels), value in found.items() if name == "x25_http_requests_total"}
    assert sorted(counted.values()) == [2, 5]
    assert {dict(labels)["worker"] for labels in counted} == {"0", "1"}
    alone.leave(figures(route=9))
    await alone.leave_for_ever(dict)
    assert list(alone.all(figures(route=9))) == ["0"]


def test_a_name_that_nobody_knows_is_passed_over():
    odd = {
        "counts": [["x25_other", ["a"], 1], ["x25_calls", ["one label"], 1]],
        "histograms": [],
        "states": {},
    }
    assert b"x25_other" not in exposition({"0": odd})
    assert b"one label" not in exposition({"0": odd})
