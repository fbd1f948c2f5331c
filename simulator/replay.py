"""Recorded models: answers once given to known prompts, with their recorded tokens and cost."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .models import Answer, JSONObject, last_user_text

if TYPE_CHECKING:
    from pyarrow import Table

_LATENCY_MS = {"slm": 800, "mid": 2000, "frontier": 5000}
"""Stand-ins by tier: the recordings hold no latencies."""


_AS_OF = "2024-12-31"
"""When the list prices of models.csv were written down."""


class NotRecorded(LookupError):
    """The prompt, or this model's answer to it, is not among the recordings."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded answer; cost in US dollars as the source states it."""

    response: str
    correct: bool
    score: float
    input_tokens: int
    output_tokens: int
    cost_usd: float


class Replay:
    """Recordings of some sources, by exact prompt text and wire model `recorded/<source>/<model>`.

    Only answers with a recorded text and a recorded cost are held.
    """

    def __init__(self, data_dir: Path, sources: list[str]) -> None:
        self._prompt_to_recordings: dict[str, dict[str, Recording]] = {}
        for source in sources:
            self._load(data_dir, source)

    def _load(self, data_dir: Path, source: str) -> None:
        prompts = _read(data_dir, "prompts", source, ["prompt_id", "prompt"])
        id_to_text = dict(zip(*(column.to_pylist() for column in prompts.columns), strict=True))
        for batch in _joined(data_dir, source).to_batches(max_chunksize=4096):
            for row in batch.to_pylist():
                prompt, model = id_to_text[row.pop("prompt_id")], row.pop("model")
                if row["cost_usd"] is not None and row["response"] is not None:
                    by_model = self._prompt_to_recordings.setdefault(prompt, {})
                    by_model[f"recorded/{source}/{model}"] = Recording(**row)

    @property
    def models(self) -> list[str]:
        """Return the wire names of the recorded models, sorted."""
        return sorted({model for by_model in self._prompt_to_recordings.values() for model in by_model})

    def answer(self, model: str, body: JSONObject) -> Answer:
        """Return the recorded answer to the last user message, whole: limits of the request do not cut it.

        Raises
        ------
        NotRecorded
            If the prompt is unknown or the model did not answer it.
        """
        by_model = self._prompt_to_recordings.get(last_user_text(body["messages"]))
        if by_model is None:
            raise NotRecorded("the last user message is not a recorded prompt")
        if model not in by_model:
            raise NotRecorded(f"{model} has no recorded answer to this prompt; {', '.join(by_model)} have")
        found = by_model[model]
        message = {"role": "assistant", "content": found.response}
        return Answer(message, "stop", found.input_tokens, found.output_tokens, found.cost_usd)

    def is_correct(self, question: str, answer: str) -> bool | None:
        """Return the recorded correctness of this answer to this question; None when it is not recorded."""
        for found in self._prompt_to_recordings.get(question, {}).values():
            if found.response == answer:
                return found.correct
        return None


def replay_models(data_dir: Path, source: str, model_to_tier: Mapping[str, str]) -> list[JSONObject]:
    """Return entries of the model registry for recorded models, at the list prices of models.csv.

    Raises
    ------
    ValueError
        If models.csv states no prices for a model of this source.
    """
    with (data_dir / "models.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["model"]: row for row in csv.DictReader(file) if row["source"] == source}
    entries = []
    for model, tier in model_to_tier.items():
        row = rows.get(model, {})
        if not row.get("price_in_usd_per_mtok"):
            raise ValueError(f"models.csv: expected prices of {model} in source {source}, got none")
        entries.append(_entry(source, model, tier, row))
    return entries


def _entry(source: str, model: str, tier: str, row: dict[str, str]) -> JSONObject:
    model_id = f"recorded/{source}/{model}"
    deployment = {"name": "simulator", "base_url": "http://127.0.0.1:0/v1", "key_env": [], "idempotent": True}
    return {
        "model_id": model_id,
        "provider": f"recorded-{re.split(r'[^a-z0-9]', model.lower())[0]}",
        "tier": tier,
        "prices": {
            "input_usd_per_mtok": float(row["price_in_usd_per_mtok"]),
            "output_usd_per_mtok": float(row["price_out_usd_per_mtok"]),
        },
        "context_tokens": 128_000,
        "max_output_tokens": 8192,
        "modalities": ["text"],
        "capabilities": [],
        "benchmarks": {},
        "expected": {
            "latency_ms": _LATENCY_MS[tier],
            "output_tokens": max(1, round(float(row["mean_output_tokens"]))),
        },
        "deployments": [{**deployment, "model": model_id}],
        "simulated": True,
        "sources": [
            {"url": f"recorded:{source}", "date": _AS_OF, "what": "list prices and lengths of models.csv"}
        ],
        "as_of": _AS_OF,
        "notes": "recorded answers replayed; context, output limit and latency are stand-ins",
    }


def _joined(data_dir: Path, source: str) -> "Table":
    keys = ["prompt_id", "model"]
    figures = ["correct", "score", "input_tokens", "output_tokens", "cost_usd"]
    responses = _read(data_dir, "responses", source, [*keys, "response"])
    return responses.join(_read(data_dir, "outcomes", source, keys + figures), keys, join_type="inner")


def _read(data_dir: Path, table: str, source: str, columns: list[str]) -> "Table":
    try:
        from pyarrow import parquet  # noqa: PLC0415 - heavy, and only needed to replay
    except ImportError as missing:
        raise ImportError("replaying recorded outcomes needs pyarrow: pip install 'x25[train]'") from missing
    path = data_dir / table / f"{source}.parquet"
    if not path.is_file():
        raise FileNotFoundError(f"expected recorded {table} of source {source} at {path}, found no file")
    return parquet.read_table(path, columns=columns)
