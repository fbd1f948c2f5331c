from pathlib import Path

import pytest

from x25.demo.items import Routed
from x25.demo.run import Options, Progress, _simulated_panel, run_demo


class Watcher:
    def __init__(self) -> None:
        self.phases: list[tuple[str, int]] = []
        self.steps: list[list[Routed | None]] = []

    def phase(self, name: str, steps: int) -> None:
        self.phases.append((name, steps))
        self.steps.append([])

    def step(self, routed: Routed | None) -> None:
        self.steps[-1].append(routed)


def test_the_panel_is_the_cheapest_of_each_tier_and_the_reference_frontier() -> None:
    assert _simulated_panel().tier_to_model == {
        "slm": "sim/tiny-1", "mid": "sim/medium-3", "frontier": "sim/large-5",
    }  # fmt: skip


@pytest.mark.slow
async def test_a_generated_demo_reports_what_the_gateway_and_the_models_did(tmp_path: Path) -> None:
    watcher = Watcher()
    report = await run_demo(Options(calls=20, seed=3), tmp_path, Progress(watcher.phase, watcher.step))
    assert [steps for _, steps in watcher.phases] == [1, 20, 20] == [len(steps) for steps in watcher.steps]
    routed = watcher.steps[-1]
    (panel,) = report["panels"]
    assert (panel["calls"], panel["stages"], report["chain"]["intact"]) == (20, ["Explore"], True)
    assert panel["stats"]["total_cost_usd"] == pytest.approx(sum(one.cost_usd for one in routed), abs=1e-12)
    assert panel["judge_cost_usd"] == pytest.approx(panel["stats"]["total_judge_cost_usd"], abs=1e-12)
    assert panel["escalated"] == sum(one.cascade_steps > 1 for one in routed)
    assert (
        sum(row["calls"] for row in panel["kinds"]) == sum(row["calls"] for row in panel["over_time"]) == 20
    )
    assert [arm["tier"] for arm in panel["arms"]] == ["slm", "mid", "frontier"]


@pytest.mark.slow
async def test_a_recorded_demo_scores_by_the_record(recordings: Path, tmp_path: Path) -> None:
    watcher = Watcher()
    options = Options(calls=10, seed=3, recorded=recordings)
    report = await run_demo(options, tmp_path / "data", Progress(watcher.phase, watcher.step))
    assert [panel["name"] for panel in report["panels"]] == ["zeroeval", "mmlu_pro"]
    assert [panel["calls"] for panel in report["panels"]] == [5, 5]
    for one in watcher.steps[1] + watcher.steps[2]:
        assert one.score == one.item.model_to_score[one.model_id]
        assert one.model_id.startswith("recorded/")
    assert (report["chain"]["intact"], report["chain"]["total_records"]) == (True, 10)
