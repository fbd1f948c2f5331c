from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from x25.demo.items import Item, Panel, Routed
from x25.demo.recorded import PANELS

PRICES = {"slm": 0.1, "mid": 1.0, "frontier": 10.0}


@pytest.fixture
def panel() -> Panel:
    return Panel("tiny", {"slm": "v/small", "mid": "v/middle", "frontier": "v/large"})


@pytest.fixture
def make_routed(panel: Panel) -> Callable[..., Routed]:
    """Make a routed call; the three models score and cost as given, small to large."""

    def make(
        tier: str = "slm",
        *,
        scores: tuple[float, float, float] = (0.0, 1.0, 1.0),
        costs: tuple[float, float, float] = (0.001, 0.01, 0.1),
        kind: str = "sums",
        steps: int = 1,
        judge_cost_usd: float = 0.0,
        stage: str = "Explore",
    ) -> Routed:
        models = panel.tier_to_model.values()
        model_to_score = dict(zip(models, scores, strict=True))
        model_to_cost = dict(zip(models, costs, strict=True))
        item = Item("p", kind, "demo", model_to_score=model_to_score, model_to_cost_usd=model_to_cost)
        model = panel.tier_to_model[tier]
        return Routed(
            item, model_to_score[model], model_to_cost[model], judge_cost_usd, tier, model, steps,
            judge_cost_usd > 0, stage, 5.0,
        )  # fmt: skip

    return make


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Recorded outcomes of both panels: twelve complete prompts each, three that lack a cost or an answer."""
    folder = tmp_path / "recordings"
    for table in ("prompts", "outcomes", "responses"):
        (folder / table).mkdir(parents=True)
    lines = ["source,model,price_in_usd_per_mtok,price_out_usd_per_mtok,mean_output_tokens"]
    for source, tiers in PANELS.items():
        prompts, outcomes, responses = [], [], []
        for number in range(15):
            key = f"{source}-{number}"
            prompts.append(
                {
                    "prompt_id": key,
                    "dataset": f"set-{number % 2}",
                    "prompt": f"Question {number} of {source}?",
                }
            )
            for rank, (tier, model) in enumerate(tiers.items()):
                if number == 12 and tier == "mid":
                    continue
                right = number % 3 <= rank
                cost = None if number > 12 and tier == "slm" else PRICES[tier] * 1e-4
                outcomes.append(
                    {
                        "prompt_id": key, "model": model, "correct": right, "score": float(right),
                        "cost_usd": cost,                         "input_tokens": 9,
                        "output_tokens": 4, "dataset": "d",
                    }
                )  # fmt: skip
                responses.append(
                    {"prompt_id": key, "model": model, "response": f"Answer {number} by {model}."}
                )
        for table, rows in (("prompts", prompts), ("outcomes", outcomes), ("responses", responses)):
            parquet.write_table(pa.Table.from_pylist(rows), folder / table / f"{source}.parquet")
        lines += [f"{source},{model},{PRICES[tier]},{PRICES[tier]},4" for tier, model in tiers.items()]
    (folder / "models.csv").write_text("\n".join(lines) + "\n")
    return folder
