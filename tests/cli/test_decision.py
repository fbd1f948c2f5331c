import json

import pytest


def test_a_dry_run_decides_in_this_process_and_calls_nobody(x25, home, monkeypatch) -> None:
    monkeypatch.setenv("X25_SIMULATOR_URL", "http://127.0.0.1:9/v1")  # nobody listens there
    result = x25(
        "route", "Prove it.", "--local", "--dry-run", "--router", "cheap-pair", "--hint", "code", "--json"
    )
    assert result.exit_code == 0, result.stderr
    decision = json.loads(result.stdout)
    assert (decision["task"], decision["config"]) == ("code", "cheap-pair")
    assert {one["model_id"] for one in decision["candidates"]} == {"sim/tiny-1", "sim/small-2"}
    shown = x25("route", "Prove it.", "--local", "--decide-only", "--max-tier", "slm")
    assert "would be asked" in shown.stdout
    assert "max_tier" in shown.stdout


@pytest.mark.slow
def test_a_gateway_decides_where_one_runs(x25, start, simulator, tmp_path) -> None:
    gateway = start(
        "serve", "--port", "0", "--json", X25_UPSTREAM="simulator", X25_SIMULATOR_URL=simulator.url
    )
    url = gateway.url()
    result = x25("route", "hello", "--gateway", url, "--dry-run", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["selected"]
    refused = x25("route", "hello", "--gateway", url, "--dry-run", "--router", "no-such")
    assert (refused.exit_code, "unknown config" in refused.stderr) == (1, True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense"])
def test_without_a_gateway_it_says_so(x25, url) -> None:
    result = x25("route", "hello", "--gateway", url, "--dry-run")
    assert (result.exit_code, "no gateway answers" in result.stderr) == (1, True)
