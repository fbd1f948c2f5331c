import json

import pytest

from x25.bench import sessions
from x25.bench.sessions import Cost, told

FOUND = Cost(200, 10.0, 11.0, 3.0, 3.3, 0.05, 200.0, 280.0, 280.0, 281.0, 7)


def test_a_cost_is_said_with_its_ratio_and_a_sessions_memory():
    words = told(FOUND, 2)
    assert FOUND.ratio == pytest.approx(1.1)
    assert "(1.10 times)" in words
    assert "(410 KiB a session)" in words
    assert "5.0 % of a core" in words


@pytest.mark.slow
def test_a_tiny_run_opens_pages_and_is_pushed_their_figures(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sessions, "CLOSED_AFTER_S", 0.5)
    out = tmp_path / "out.json"
    asked = ["--sessions", "5", "--clients", "2", "--seconds", "2", "--rounds", "1", "--json", str(out)]
    sessions.main(asked)
    found = json.loads(out.read_text())
    assert found["pushed"] >= 5
    assert found["alone_ms"] > 0
    assert "5 sessions" in capsys.readouterr().out
