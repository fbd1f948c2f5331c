import json

from x25.bench.provider_client import main

WAYS = ["provider", "client", "httpx"]


def test_every_way_is_measured_with_every_number_of_clients(tmp_path, capsys):
    out = tmp_path / "figures.json"
    main(["--requests", "8", "--clients", "1", "4", "--rounds", "1", "--json", str(out)])
    costs = json.loads(out.read_text())["costs"]
    assert [(one["way"], one["clients"]) for one in costs] == [(way, n) for n in (1, 4) for way in WAYS]
    assert all(one["cpu_ms"] > 0 and one["p50_ms"] > 0 for one in costs)
    printed = capsys.readouterr().out
    assert all(way in printed for way in WAYS)
