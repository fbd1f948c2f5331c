"""A small folder of recorded answers in which doubts betray the wrong ones."""

from pathlib import Path

import numpy as np
import pytest

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
        _write(folder / table / "made.parquet", rows)
    return folder


def _write(path: Path, rows: list[dict]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


class NoEncoder:
    """Embeds nothing: the prompt's cheap features alone make the prior."""

    dimension = 0
    fingerprint = "none"

    def embed_many(self, texts):
        return np.zeros((len(texts), 0), dtype=np.float32)


@pytest.fixture(scope="session")
def no_encoder() -> NoEncoder:
    return NoEncoder()
