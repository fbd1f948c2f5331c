"""A small folder of recorded answers in which doubts betray the wrong ones."""

from pathlib import Path

import numpy as np
import pytest

from x25.training.data.parquet import write_rows
from x25.training.fit.predictor import NoEncoder

MODELS = ("tiny", "middle", "large")
RATES = (0.5, 0.7, 0.85)
COSTS_USD = (0.0001, 0.0004, 0.002)
DATASETS = ("sums", "tales")


@pytest.fixture(scope="session")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one source, "made": 600 prompts, three models, their answers."""
    pytest.importorskip("pyarrow", reason="needs the train extra")
    folder = tmp_path_factory.mktemp("answered")
    rng = np.random.default_rng(5)
    prompts, outcomes, responses = [], [], []
    for row in range(600):
        hard = rng.normal()
        text = f"Sum number {row}: what is {row} plus {row + 1}?" + " It is a long story." * int(hard > 0.3)
        prompt_id = f"p{row}"
        prompts.append({
            "prompt_id": prompt_id, "dataset": DATASETS[row % 2], "task_type": "reasoning",
            "group": f"g{row}", "prompt": text,
        })  # fmt: skip
        for model, rate, cost in zip(MODELS, RATES, COSTS_USD, strict=True):
            right = bool(rng.random() < np.clip(rate - 0.2 * hard, 0.02, 0.98))
            doubts = rng.random() < (0.15 if right else 0.6)
            total = 2 * row + 1 + (0 if right else int(rng.integers(1, 9)))
            answer = f"{'Maybe, perhaps. ' if doubts else ''}{row} plus {row + 1}. The answer is {total}."
            outcomes.append({
                "prompt_id": prompt_id, "model": model, "score": float(right), "correct": right,
                "cost_usd": cost, "input_tokens": 20, "output_tokens": 10,
            })  # fmt: skip
            responses.append({"prompt_id": prompt_id, "model": model, "response": answer})
    for table, rows in (("prompts", prompts), ("outcomes", outcomes), ("responses", responses)):
        write_rows(folder / table / "made.parquet", rows)
    return folder


@pytest.fixture(scope="session")
def no_encoder() -> NoEncoder:
    return NoEncoder()


ORG_MODELS = {"v/small": ("slm", 0.0), "v/large": ("frontier", 1.6)}
"""Tier and true level of the models of a planted org."""


@pytest.fixture(scope="session")
def org_log():
    """Return a function that makes an org's calls; needs no extra."""
    from datetime import UTC, datetime, timedelta

    from x25.graph.estimators import load_difficulty
    from x25.routing.belief.judge_table import DEFAULT_TABLE
    from x25.routing.belief.org_model import inputs_id, pack_inputs, unpack_inputs
    from x25.routing.prompt.logistic import sigmoids
    from x25.state.records import Call

    difficulty, noon = load_difficulty(), datetime(2025, 1, 1, 12, tzinfo=UTC)
    embedded = difficulty.encoder_dimension

    def log_of(org="acme", count=800, seed=0, strength=3.0):
        """Return an org's calls: ten themes, two of which are hard in a way the bundled head does not know."""
        rng = np.random.default_rng(seed)
        made_by = inputs_id(difficulty.encoder_fingerprint, difficulty.encoder_dimension)
        themes = rng.normal(size=(10, len(difficulty.head.mean))) / np.sqrt(10)
        found = []
        for number in range(count):
            theme = rng.normal(size=10)
            prompt = difficulty.head.mean + difficulty.head.scale * (theme @ themes)
            inputs = pack_inputs(prompt[:embedded], prompt[embedded:])
            hard = difficulty.estimate(unpack_inputs(inputs)).value + strength * (theme[0] - theme[1])
            model_id = list(ORG_MODELS)[rng.integers(2)]
            tier, level = ORG_MODELS[model_id]
            is_right = rng.random() < sigmoids(level - 0.6 * hard)
            score_bin = int(rng.choice(5, p=DEFAULT_TABLE.right if is_right else DEFAULT_TABLE.wrong))
            verdict = {"source": "judge", "bin": score_bin, "score": (score_bin + 0.5) / 5}
            decision = {
                "model_id": model_id,
                "tier": tier,
                "first_verdict": verdict,
                "inputs_id": made_by,
                "memory_hit": False,
            }
            found.append(Call(
                call_id=f"c{number}", org=org, created_at=noon + timedelta(seconds=number), status="answered",
                task_type="qa", task_cell="qa" if number % 2 else "code", difficulty=0.0, model_id=model_id,
                provider="v", tier=tier, cost_nusd=1, judge_cost_nusd=1, reference_cost_nusd=1, quality_score=None,
                quality_source="judge", latency_ms=1.0, cascade_steps=1, escalations=0, fallbacks=0, propensity=0.5,
                router="auto", simulated=True, record_hash="", decision=decision, inputs=inputs,
            ))  # fmt: skip
        return found

    return log_of


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the workshop's tests with the slow ones: `make test` is what serves."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)
