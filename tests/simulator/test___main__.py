from pathlib import Path

import httpx
import pytest

from x25.simulator.__main__ import main
from x25.simulator.process import SimulatorProcess

MODEL = (
    "{model_id: sim/own, tier: slm, simulated: true,"
    " prices: {input_usd_per_mtok: 1, output_usd_per_mtok: 2},"
    " simulation: {ability: 0, latency_ms: 30, spread_ms: 0}}"
)


def test_options_choose_models_scenario_and_latency(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(MODEL)
    rules = tmp_path / "rules.yml"
    rules.write_text("[{match: {nth: 1}, fault: 503}]")
    body = {"model": "sim/own", "messages": [{"role": "user", "content": "Hello"}]}
    with SimulatorProcess(models_dirs=[tmp_path], scenario=rules) as sim, httpx.Client() as client:
        listed = client.get(f"{sim.url}/models").json()["data"]
        first = client.post(f"{sim.url}/chat/completions", json=body)
        second = client.post(f"{sim.url}/chat/completions", json=body)
    assert [model["id"] for model in listed] == ["sim/own"]
    assert (first.status_code, second.status_code) == (503, 200)
    assert second.elapsed.total_seconds() >= 0.03


def test_an_unknown_option_stops_with_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--prot", "1"])
    assert "--prot" in capsys.readouterr().err
