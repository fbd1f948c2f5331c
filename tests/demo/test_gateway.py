import httpx
import pytest

from x25.demo.gateway import gateway_process


@pytest.mark.slow
def test_a_gateway_keeps_its_state_in_its_folder_and_sees_nothing_of_the_callers(
    simulator, tmp_path, monkeypatch
):
    (tmp_path / ".env").write_text("X25_REQUIRE_KEY=true\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("X25_REQUIRE_KEY", "true")
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-not-to-be-used")
    with gateway_process(tmp_path / "state", simulator.url, seed="3") as gateway:
        reply = httpx.post(f"{gateway.url}/route", json={"prompt": "What is 2 + 3?"}, timeout=30)
    assert reply.status_code == 200
    assert reply.json()["simulated"] is True
    assert (tmp_path / "state" / "x25.db").is_file()
