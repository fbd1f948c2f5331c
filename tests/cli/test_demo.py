import io
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from x25.cli.demo import _Live, plain
from x25.demo.figures import Estimate
from x25.demo.items import Item, Routed


def wait_until(child, condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        try:
            code = child.process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"ended with {code}: {child.stderr.read_text()}")
    pytest.fail("it did not come that far in thirty seconds")


def calls_in(database: Path) -> int:
    if not database.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT count(*) FROM calls").fetchone()[0]
    except sqlite3.OperationalError:  # the tables are being made
        return 0


@pytest.mark.slow
def test_thirty_calls_make_a_report(start, tmp_path: Path) -> None:
    child = start("demo", "--calls", "30", "--json", "--keep", "kept")
    out, _ = child.process.communicate(timeout=60)
    assert child.process.returncode == 0, child.stderr.read_text()
    report = json.loads(out)
    (panel,) = report["panels"]
    assert panel["calls"] == panel["stats"]["total_calls"] == 30
    assert [row["name"].split(" (")[0] for row in panel["rows"]] == [
        "x25", "always cheapest", "always mid", "always frontier", "random",
    ]  # fmt: skip
    for row in panel["rows"]:
        assert all(
            row[name]["low"] <= row[name]["mean"] <= row[name]["high"]
            for name in ("usd_per_1k", "score", "cut")
        )
        assert sum(row["tier_mix"].values()) == pytest.approx(1)
    x25 = panel["rows"][0]
    spent = panel["stats"]["total_cost_usd"] + panel["stats"]["total_judge_cost_usd"]
    assert x25["usd_per_1k"]["mean"] == pytest.approx(1000 * spent / 30)
    assert report["chain"] == {"intact": True, "total_records": 30, "reason": None}
    assert calls_in(tmp_path / "kept" / "x25.db") == 30
    assert child.survivors() == []


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["starting", "routing"])
def test_ctrl_c_leaves_no_process(start, tmp_path: Path, moment: str) -> None:
    child = start("demo", "--calls", "400", "--keep", "kept")
    if moment == "starting":
        wait_until(child, lambda: len(child.family()) == 3)
    else:
        wait_until(child, lambda: calls_in(tmp_path / "kept" / "x25.db") > 0)
    assert child.stop(signal.SIGINT) == 130
    assert child.survivors() == []
    assert "Traceback" not in child.stderr.read_text()


def test_estimates_become_objects_wherever_they_are() -> None:
    assert plain({"a": [Estimate(1, 0, 2)], "b": "text", "c": None}) == {
        "a": [{"mean": 1, "low": 0, "high": 2}], "b": "text", "c": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [("--calls", "9"), ("--concurrency", "0"), ("--recorded", "nowhere"), ("--optimize-for", "speed")],
)
def test_what_cannot_be_run_is_refused(x25, arguments: tuple[str, str]) -> None:
    result = x25("demo", *arguments)
    assert result.exit_code == 2
    assert arguments[0] in result.stderr


def test_a_folder_without_recordings_is_one_sentence(x25, home: Path) -> None:
    (home / "empty").mkdir()
    result = x25("demo", "--recorded", "empty")
    assert result.exit_code == 1
    assert "error expected prompts/, outcomes/ and responses/ in empty, found none" in result.stderr


def test_progress_is_not_cropped_at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(sys.modules[_Live.__module__], "err", Console(file=shown, width=80))
    call = Routed(
        item=Item("p", "k", "o"), score=1.0, cost_usd=0.27, judge_cost_usd=0.0, tier="frontier", model_id="m",
        cascade_steps=1, judged=False, stage="Fine-tune", latency_ms=1.0,
    )  # fmt: skip
    with _Live() as live:
        live.phase("asking each model alone, for comparison", 600)
        live.step(None)
        live.phase("routing", 600)
        for _ in range(600):
            live.step(call)
    said = shown.getvalue()
    assert "…" not in said
    assert max(map(len, said.splitlines())) <= 80
    for part in (
        "asking each model alone, for comparison",
        "0/0/100 % slm/mid/frontier, $162.000, 100% right",
        "600/600",
    ):
        assert part in said
