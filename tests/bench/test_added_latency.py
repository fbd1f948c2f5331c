import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from x25.bench import added_latency
from x25.bench.added_latency import Added, Spread, added, over_rounds, show


def test_added_latency_is_the_difference_of_percentiles_and_of_pairs() -> None:
    direct = [1.0, 2.0, 3.0, 4.0, 5.0]
    gateway = [15.0, 14.0, 13.0, 12.0, 11.0]
    # Medians 3 and 13; 95th percentiles 4.8 and 14.8; differences 14, 12, 10, 8, 6 in this order.
    assert added(direct, gateway) == Added(10.0, pytest.approx(10.0), 10.0, pytest.approx(13.6))


def test_a_slow_tail_shows_in_the_tail_alone() -> None:
    direct = [1.0] * 100
    gateway = [3.0] * 90 + [53.0] * 10
    assert added(direct, gateway) == Added(2.0, 52.0, 2.0, 52.0)


@pytest.mark.parametrize(("direct", "gateway"), [([], []), ([1.0], [1.0, 2.0])])
def test_latencies_that_are_no_pairs_are_refused(direct: list[float], gateway: list[float]) -> None:
    with pytest.raises(ValueError, match=f"expected pairs, got {len(direct)} direct and {len(gateway)}"):
        added(direct, gateway)


def test_rounds_are_summed_up_by_median_and_range() -> None:
    assert over_rounds([5.0, 1.0, 2.0]) == Spread(median=2.0, low=1.0, high=5.0)


def test_the_table_names_machine_targets_and_spread() -> None:
    figure = {"median": 4.25, "low": 4.0, "high": 104.5}
    report = {
        "machine": {"cores": 2, "python": "3.11.7"},
        "options": {"rounds": 3, "pairs": 9, "clients": [8]},
        "targets": [
            {
                "name": "direct",
                "added": {},
                "requests_per_s": {8: {"median": 321.4, "low": 300.0, "high": 333.3}},
            },
            {"name": "gateway", "added": {"p50_ms": figure}, "requests_per_s": {8: figure}},
        ],
    }
    shown = StringIO()
    show(report, Console(file=shown, width=200))
    assert "2 cores" in shown.getvalue()
    assert "3 rounds of 9 pairs" in shown.getvalue()
    (row,) = [line for line in shown.getvalue().splitlines() if "added p50" in line]
    assert row.split() == ["│", "added", "p50,", "ms", "│", "│", "4.2", "│"]
    assert "(4.0 to 104.5)" in shown.getvalue()
    assert "(300 to 333)" in shown.getvalue()


@pytest.mark.slow
def test_a_tiny_run_measures_every_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report.json"
    options = ["--pairs", "5", "--warmup", "2", "--seconds", "3", "--clients", "2", "--rounds", "1"]
    added_latency.main([*options, "--json", str(out)])
    direct, route, chat, judged = json.loads(out.read_text())["targets"]
    assert direct["added"] == {}
    for target in (route, chat, judged):
        assert target["added"]["p50_ms"]["median"] > 0
        assert 0 < target["requests_per_s"]["2"]["median"] < direct["requests_per_s"]["2"]["median"]
    assert "measured on this machine" in capsys.readouterr().out
