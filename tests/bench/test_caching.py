import json

from x25.bench.caching import main, saving, workload


def test_the_workload_is_the_same_for_a_seed_and_repeats_itself():
    requests = workload(40, 7)
    assert requests == workload(40, 7) != workload(40, 8)
    bodies = [json.dumps(one) for one in requests]
    assert 0.3 < 1 - len(set(bodies)) / len(bodies) < 0.9


def test_an_answer_to_another_body_is_a_false_hit():
    requests = workload(2, 7)[:2]
    bought = [{"cost_usd": 1.0}, {"cost_usd": 1.0}]
    cached = [
        {"cost_usd": 1.0, "call_id": "a", "cached": {"hit": False}},
        {"cost_usd": 0.0, "call_id": "b", "cached": {"hit": True, "call_id": "a"}},
    ]
    found = saving(requests, bought, cached)
    assert (found.hits, found.false_hits, found.saved_share) == (1, 1, 0.5)
    assert saving([requests[0]] * 2, bought, cached).false_hits == 0


def test_caches_save_two_fifths_of_the_agents_workload_without_a_false_hit(capsys):
    main(["--runs", "24", "--calls", "4", "--json"])
    report = json.loads(capsys.readouterr().out)
    found = report["saving"]
    assert found["hits"] == found["repeated"] > 0
    assert found["false_hits"] == 0
    assert found["saved_share"] >= 0.4
    assert [one["mode"] for one in report["modes"]] == ["proxy", "cache", "full"]
    assert report["modes"][0]["hit_ms"] is None
    assert report["modes"][1]["hit_ms"] is not None
