import random

import pytest

from x25.state.latency_buckets import ERROR, GROWTH, bucket_of, latency_ms_of, percentiles_ms


def test_what_stands_for_a_bucket_is_near_all_it_holds():
    rng = random.Random(4)
    for _ in range(2_000):
        latency_ms = 10 ** (6 * rng.random())
        assert latency_ms_of(bucket_of(latency_ms)) == pytest.approx(latency_ms, rel=ERROR + 1e-9)
    assert [bucket_of(ms) for ms in (0.0, 0.3, 1.0, 1.01, GROWTH * 1.001)] == [0, 0, 0, 1, 2]
    assert latency_ms_of(0) == 1.0


def test_percentiles_are_the_least_latency_that_so_many_did_not_pass():
    exact = [float(n) for n in range(2, 1_002)]
    counts = {}
    for one in exact:
        counts[bucket_of(one)] = counts.get(bucket_of(one), 0) + 1
    found = percentiles_ms(counts)
    for percent, wanted in ((50, 501.0), (90, 901.0), (95, 951.0), (99, 991.0)):
        assert found[percent] == pytest.approx(wanted, rel=ERROR)
    assert percentiles_ms({}) == {}
    assert percentiles_ms({7: 1}) == dict.fromkeys((50, 90, 95, 99), latency_ms_of(7))
