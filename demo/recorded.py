"""Recorded prompts of real models, served again by the simulator: small, mid and large as tiers."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..simulator.replay import replay_models
from ..state.errors import ConfigError
from .items import Item, Panel

PANELS = {
    "zeroeval": {
        "slm": "Meta-Llama-3.1-8B-Instruct",
        "mid": "gpt-4o-mini-2024-07-18",
        "frontier": "claude-3-5-sonnet-20241022",
    },
    "mmlu_pro": {
        "slm": "Meta-Llama-3.1-8B-Instruct",
        "mid": "Meta-Llama-3.1-70B-Instruct",
        "frontier": "gemini-1.5-pro-002",
    },
}
"""Source to tier to model: the three-tier panels whose answers are on record for every prompt."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One source made ready: its panel, its items, the folders to serve it from."""

    panel: Panel
    items: list[Item]


def prepare(data_dir: Path, count: int, seed: int, folder: Path) -> list[Recording]:
    """Write model and router files for the recorded panels into `folder`, and draw `count` prompts of all sources.

    Raises
    ------
    ConfigError
        When the data is not there, or the `train` extra is not installed.
    """
    try:
        from pyarrow import parquet  # noqa: PLC0415 - only the recorded demo needs it
    except ModuleNotFoundError as error:
        raise ConfigError(
            "reading recorded outcomes needs pyarrow: pip install 'x25[gateway,train]'"
        ) from error
    if not (data_dir / "outcomes").is_dir():
        raise ConfigError(f"expected prompts/, outcomes/ and responses/ in {data_dir}, found none")
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "routers").mkdir(exist_ok=True)
    outcomes = _Outcomes(parquet, data_dir, seed)
    return [_prepare_source(outcomes, source, share, folder) for source, share in _shares(count).items()]


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """Recorded outcomes, the module that reads them, and the seed that samples are drawn with."""

    parquet: Any
    folder: Path
    seed: int


def _prepare_source(outcomes: _Outcomes, source: str, count: int, folder: Path) -> Recording:
    model_to_tier = {model: tier for tier, model in PANELS[source].items()}
    for entry in replay_models(outcomes.folder, source, model_to_tier):
        name = entry["model_id"].replace("/", "--")
        (folder / "models" / f"{name}.yaml").write_text(
            yaml.safe_dump(entry, sort_keys=False), encoding="utf-8"
        )
    tier_to_model = {tier: f"recorded/{source}/{model}" for tier, model in PANELS[source].items()}
    router = {
        "name": f"recorded-{source}",
        "description": f"recorded answers of {source}",
        "models": [*tier_to_model.values()],
    }
    (folder / "routers" / f"{source}.yaml").write_text(yaml.safe_dump(router), encoding="utf-8")
    return Recording(Panel(source, tier_to_model), _items(outcomes, source, count))


def _items(recorded: _Outcomes, source: str, count: int) -> list[Item]:
    """Return a seeded sample of the prompts that every model of the panel answered at a known cost."""
    wanted = set(PANELS[source].values())
    by_prompt: dict[str, dict[str, Any]] = {}
    columns = ["prompt_id", "model", "score", "cost_usd"]
    outcomes = recorded.parquet.read_table(recorded.folder / "outcomes" / f"{source}.parquet", columns=columns,
                                  filters=[("model", "in", sorted(wanted))])  # fmt: skip
    for row in outcomes.to_pylist():
        if row["cost_usd"] is not None:
            by_prompt.setdefault(row["prompt_id"], {})[row["model"]] = row
    prompts = recorded.parquet.read_table(
        recorded.folder / "prompts" / f"{source}.parquet", columns=["prompt_id", "dataset", "prompt"]
    ).to_pylist()
    complete = [row for row in prompts if set(by_prompt.get(row["prompt_id"], ())) == wanted]
    drawn = random.Random(recorded.seed).sample(complete, min(count, len(complete)))  # noqa: S311 - a reproducible sample
    return [_item(row, source, by_prompt[row["prompt_id"]]) for row in drawn]


def _item(row: dict[str, Any], source: str, outcomes: dict[str, dict[str, Any]]) -> Item:
    return Item(
        prompt=row["prompt"],
        kind=row["dataset"],
        org=f"recorded-{source}",
        router=f"recorded-{source}",
        model_to_score={f"recorded/{source}/{model}": one["score"] for model, one in outcomes.items()},
        model_to_cost_usd={f"recorded/{source}/{model}": one["cost_usd"] for model, one in outcomes.items()},
    )


def _shares(count: int) -> dict[str, int]:
    """Return how many prompts each source contributes: as even as possible."""
    base, rest = divmod(count, len(PANELS))
    return {source: base + (index < rest) for index, source in enumerate(PANELS)}
