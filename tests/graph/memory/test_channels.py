from x25.graph.memory.channels import INPUT_CHANNELS, OUTPUT_CHANNELS, ThreadState, add_timings
from x25.state.types import Reply, Request


def test_timings_begin_anew_with_the_first_node():
    old = [{"node": "lookup_cache", "ms": 1}, {"node": "classify", "ms": 1}]
    assert add_timings(old, [{"node": "dispatch", "ms": 2}]) == [*old, {"node": "dispatch", "ms": 2}]
    assert add_timings(old, [{"node": "lookup_cache", "ms": 3}]) == [{"node": "lookup_cache", "ms": 3}]
    assert add_timings([], []) == []


def test_what_a_run_writes_and_returns_beside_requests_and_replies_are_channels_of_the_thread():
    assert set(INPUT_CHANNELS) <= ThreadState.__annotations__.keys() - Request.__annotations__.keys()
    assert set(OUTPUT_CHANNELS) <= ThreadState.__annotations__.keys() - Reply.__annotations__.keys()
