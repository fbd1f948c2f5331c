from x25.nodes.records.metering import count_call
from x25.state.meter import Meter


async def test_a_call_is_counted_with_each_request_it_made(walk, services):
    meter = Meter()
    call = await walk("update_posterior", router="sim/small-2")
    await walk("audit", router="sim/small-2", call_id="c9")
    row = await services.store.calls.get("default", "c9")
    count_call(call, row, meter)
    counts = {(name, *labels): value for name, labels, value in meter.told()["counts"]}
    assert counts["x25_calls", "answered", "slm"] == 1
    assert counts["x25_attempts", "sim/small-2", "finished"] == 1
    assert counts["x25_tokens", "sim/small-2", "prompt"] > 0
    assert counts["x25_cost_dollars", "sim/small-2"] > 0
    assert not [
        name for name in counts if name[0] in ("x25_escalations", "x25_fallbacks", "x25_estimated_bills")
    ]
    ((_, labels, bins, total),) = meter.told()["histograms"]
    assert (labels, sum(bins), total) == (["answered"], 1, row.latency_ms / 1e3)
