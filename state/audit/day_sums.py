"""Further sums over the call log, moved with the others: by UTC day for pages, by kind of task for comparisons."""

from typing import Any

from sqlalchemy import Connection, text

from ..latency_buckets import bucket_of
from ..records import Call
from ..statements import Statement

NO_ANSWER = "none"
"""Where calls are counted that bought no answer."""


def _adding(table: str, keys: tuple[str, ...], figures: tuple[str, ...]) -> Statement:
    names = keys + figures
    return Statement(text(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"  # noqa: S608 - names of this file
        f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET "
        + ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in figures)
    ))  # fmt: skip


MONEY = ("cost_nusd", "judge_cost_nusd", "reference_cost_nusd")
DAY_KEYS = ("org", "day", "model_id", "tier")
DAY_FIGURES = (
    "total_calls", *MONEY, "judged", "rated", "timed", "escalated", "fell_back", "failed", "simulated", "quality",
    "latency_ms", "quality_sq", "saved_sq", "believed", "right_prob",
)  # fmt: skip
LATENCY_KEYS = (*DAY_KEYS, "bucket")
CHOICE_KEYS = ("org", "task_cell", "model_id")
CHOICE_FIGURES = (
    "total_calls", *MONEY, "judged", "rated", "prompt_tokens", "cached_tokens", "completion_tokens",
    "counted_paid_nusd", "counted_calls", "quality", "quality_sq", "paid_sq", "reference_sq", "paid_reference",
    "believed", "right_prob",
)  # fmt: skip
ADD_DAY = _adding("day_sums", DAY_KEYS, DAY_FIGURES)
ADD_LATENCY = _adding("day_latencies", LATENCY_KEYS, ("total_calls",))
ADD_CHOICE = _adding("choice_sums", CHOICE_KEYS, CHOICE_FIGURES)


def figures_of(call: Call) -> dict[str, Any]:
    """Return everything one call adds to the tables, and its place in them.

    Sums of squares are in dollars squared. `counted_calls` are those whose answer's tokens are known,
    `counted_paid_nusd` what they cost; `believed` those whose answer is known to be right with some probability,
    `right_prob`.
    """
    quality, paid, reference = call.quality_score or 0.0, call.paid_nusd / 1e9, call.reference_cost_nusd / 1e9
    saved = call.saved_nusd / 1e9
    is_timed = call.status != "interrupted"
    tokens, right_prob = call.decision.get("tokens"), call.decision.get("right_prob")
    prompt, cached, completion = tokens or (0, 0, 0)
    return {
        "org": call.org, "day": call.created_at.date().isoformat(), "task_cell": call.task_cell,
        "model_id": call.model_id or NO_ANSWER, "tier": call.tier or NO_ANSWER,
        "total_calls": 1, "cost_nusd": call.cost_nusd, "judge_cost_nusd": call.judge_cost_nusd,
        "reference_cost_nusd": call.reference_cost_nusd, "judged": int(call.quality_source == "judge"),
        "rated": int(call.quality_score is not None), "quality": quality, "quality_sq": quality * quality,
        "escalated": int(call.escalations > 0), "fell_back": int(call.fallbacks > 0),
        "failed": int(call.status == "failed"), "simulated": int(call.simulated), "saved_sq": saved * saved,
        "bucket": bucket_of(call.latency_ms), "timed": int(is_timed),
        "latency_ms": call.latency_ms if is_timed else 0.0,
        "prompt_tokens": prompt, "cached_tokens": cached, "completion_tokens": completion,
        "counted_calls": int(tokens is not None), "counted_paid_nusd": call.paid_nusd if tokens else 0,
        "paid_sq": paid * paid, "reference_sq": reference * reference, "paid_reference": paid * reference,
        "believed": int(right_prob is not None), "right_prob": right_prob or 0.0,
    }  # fmt: skip


def add_to_days(connection: Connection, call: Call) -> None:
    """Count a call that was logged, within the transaction that logged it."""
    figures = figures_of(call)
    ADD_DAY.count(connection, figures)
    if figures["timed"]:
        ADD_LATENCY.count(connection, figures)
    ADD_CHOICE.count(connection, figures)
