"""On what can `x25 evaluate` and `x25 replay` be tried? The synthetic corpus as a folder of recorded outcomes.

Run as `python -m x25.training.data.synthetic_recorded FOLDER`. Nobody's model was asked; every figure drawn from it
is one of this file's formulas.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...routing.prompt.tokens import estimate_prompt_tokens
from .parquet import write_rows
from .synthetic_outcomes import SOURCE, synthetic_outcomes

PROMPTS = 600
ANSWER_TOKENS = 60
TIERS = {"slm": "synthetic/tiny", "mid": "synthetic/medium", "frontier": "synthetic/huge"}
_DATASET_STEPS = 4  # short, middling and long chains of arithmetic


def write_synthetic(folder: Path, prompts: int = PROMPTS, seed: int = 42) -> Path:
    """Write prompts, outcomes and a panel named `synthetic`; return the folder of panels.

    Raises
    ------
    ModuleNotFoundError
        If the `train` extra is not installed.
    """
    asked: dict[str, dict[str, Any]] = {}
    rows = []
    for one in synthetic_outcomes(seed, prompts):
        if one.cost_usd is None:
            continue
        steps = (one.prompt.count(" ") - 2) // 2
        asked[one.prompt_id] = {
            "prompt_id": one.prompt_id, "dataset": f"chain-{min(2, steps // _DATASET_STEPS)}",
            "task_type": "reasoning", "group": one.prompt_id, "prompt": one.prompt,
        }  # fmt: skip
        rows.append({
            "prompt_id": one.prompt_id, "model": one.model_id, "score": one.score, "correct": one.score >= 0.5,
            "cost_usd": one.cost_usd, "output_tokens": ANSWER_TOKENS,
            "input_tokens": estimate_prompt_tokens([{"role": "user", "content": one.prompt}], {}),
        })  # fmt: skip
    write_rows(folder / "prompts" / f"{SOURCE}.parquet", list(asked.values()))
    write_rows(folder / "outcomes" / f"{SOURCE}.parquet", rows)
    panels = folder / "panels"
    panels.mkdir(exist_ok=True)
    tiers = "".join(f"  {tier}: {model}\n" for tier, model in TIERS.items())
    text = f"name: {SOURCE}\ntitle: Synthetic arithmetic, nobody was asked\nsource: {SOURCE}\ntiers:\n{tiers}"
    (panels / f"{SOURCE}.yaml").write_text(text, encoding="utf-8")
    return panels


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the folder and print the two commands that read it."""
    parser = argparse.ArgumentParser(
        prog="python -m x25.training.data.synthetic_recorded", description=__doc__
    )
    parser.add_argument("folder", type=Path, help="folder to write")
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args(arguments)
    panels = write_synthetic(options.folder, options.prompts, options.seed)
    print(f"x25 evaluate --train {options.folder} --panels-dir {panels}")
    models = ",".join(TIERS.values())
    print(f"x25 replay --stream {options.folder} --rotate --source {SOURCE} --models {models}")


if __name__ == "__main__":
    main()
