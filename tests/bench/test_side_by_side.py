import argparse
import json
from io import StringIO

import pytest
from rich.console import Console

from x25.bench import side_by_side
from x25.bench.contestants import DIRECT, Contestant
from x25.bench.side_by_side import COMPARED, FIGURES, WIDTH, body, report, show, stream_body

OPTIONS = argparse.Namespace(rounds=2, requests=9, clients=32, seconds=1.0, seed=7, judge=False)


def rounds_of(base):
    measured = [name for name in FIGURES if name != "cache_hit_ms"]
    return {name: [base, 2 * base] for name in measured}


def some_rounds():
    direct = {name: values for name, values in rounds_of(1.0).items() if not name.startswith("added")}
    return {DIRECT: direct, "x25 direct": rounds_of(3.0), "litellm, one model": rounds_of(12.0)}


def test_the_report_compares_ours_with_theirs_round_by_round():
    found = report(OPTIONS, some_rounds(), "1.2.3")
    assert found["rows"]["x25 direct"]["cpu_s"] == {"median": 4.5, "low": 3.0, "high": 6.0}
    assert found["rows"]["x25 direct"]["cache_hit_ms"] is None
    assert found["ratios"] == {
        "x25 direct / litellm, one model": {
            name: {"median": 0.25, "low": 0.25, "high": 0.25} for name in COMPARED
        }
    }
    json.dumps(found)


def test_without_litellm_nothing_is_compared():
    rounds = some_rounds()
    del rounds["litellm, one model"]
    assert report(OPTIONS, rounds, None)["ratios"] == {}


def test_the_table_says_what_was_not_measured():
    shown = StringIO()
    show(report(OPTIONS, some_rounds(), "1.2.3"), Console(file=shown, width=WIDTH))
    lines = shown.getvalue().splitlines()
    assert "litellm 1.2.3" in lines[0]
    (added,) = [line for line in lines if "added p50" in line and "│" in line]
    assert added.split("│")[2].strip() == ""
    (hit,) = [line for line in lines if "cache hit" in line]
    assert hit.count("not measured yet") == 2
    assert "requests/s, 32 clients" in shown.getvalue()
    assert "0.25" in shown.getvalue()


def test_every_row_is_asked_for_its_model():
    asked = body(Contestant("x25 direct", "http://127.0.0.1:1", "auto", 1), "Why?")
    assert asked == {"model": "auto", "messages": [{"role": "user", "content": "Why?"}]}
    streamed = stream_body(Contestant("x25 direct", "http://127.0.0.1:1", "auto", 1), "Why?")
    assert streamed == {**asked, "model": "bench/small", "stream": True}


@pytest.mark.slow
def test_a_tiny_run_measures_the_stub_and_a_gateway(capsys):
    options = ["--rounds", "1", "--requests", "5", "--seconds", "1", "--clients", "2", "--warmup", "2"]
    side_by_side.main([*options, "--executors", "direct", "--json"])
    found = json.loads(capsys.readouterr().out)
    direct, gateway = found["rows"].values()
    assert list(found["rows"]) == [DIRECT, "x25 direct"]
    assert gateway["added_p50_ms"]["median"] > 0
    assert 0 < direct["first_token_ms"]["median"] < gateway["first_token_ms"]["median"]
    assert 0 < gateway["requests_per_s"]["median"] < direct["requests_per_s"]["median"]
    assert gateway["cpu_s"]["median"] > direct["cpu_s"]["median"]
    assert gateway["upstream_requests"]["median"] >= 1
    assert gateway["resident_mib"]["median"] > 50
