"""The tables, and the column types that mean the same on SQLite and on Postgres.

A column carries the name of the record field it keeps, so that a row and a record convert by name.
"""

import json
import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Postgres refuses NUL; a lone surrogate has no UTF-8 form."""


def canonical_json(value: Any) -> str:
    r"""Return the one JSON text of `value`: keys sorted by code point, no spaces, non-ASCII as it is.

    Integers are exact and floats print as Python's `repr`, the shortest digits that read back equal. Close to
    RFC 8785 but not it: `1.0` stays `1.0` and keys sort by code point instead of UTF-16 unit. A lone
    surrogate is written as its `\uXXXX` escape, so the text always has a UTF-8 form, and so is NUL.

    Raises
    ------
    ValueError
        For NaN and infinities, which JSON cannot say.
    TypeError
        For anything that is not JSON.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class UtcMicroseconds(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970 UTC; reads back aware and in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Turn an aware datetime into microseconds."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"expected a datetime with a time zone, got {value!r}")
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn microseconds into a datetime in UTC."""
        return None if value is None else EPOCH + value * MICROSECOND


class CanonicalJSON(TypeDecorator[dict[str, Any]]):
    """A JSON object, kept as canonical text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write the canonical text."""
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:  # noqa: ARG002
        """Parse the text."""
        return None if value is None else json.loads(value)


class FreeText(TypeDecorator[str]):
    """Text from outside; characters no database keeps become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Replace NUL and lone surrogates."""
        return None if value is None else UNSTORABLE.sub("\ufffd", value)


def values_of(record: "DataclassInstance") -> dict[str, Any]:
    """Return the record's fields by name, nested values as they are."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def columns_for(table: Table, record_type: "type[DataclassInstance]") -> list[Column[Any]]:
    """Return the table's columns that make up the record, in the order of its fields."""
    return [table.c[field.name] for field in fields(record_type)]


def _count(name: str, *, from_zero: bool = False) -> Column[Any]:
    return Column(name, BigInteger, nullable=False, server_default="0" if from_zero else None)


def _real(name: str, *, from_zero: bool = False) -> Column[Any]:
    return Column(name, Double, nullable=False, server_default="0" if from_zero else None)


def _text(name: str, *, primary_key: bool = False) -> Column[Any]:
    return Column(name, Text, primary_key=primary_key, nullable=False)


def _time(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, UtcMicroseconds, nullable=nullable)


def _hash(name: str) -> Column[Any]:
    return Column(name, String(64), nullable=False)


metadata = MetaData()

# The chain's length and head live here, apart from its entries: cutting the tail off `audit` leaves a trace.
orgs = Table(
    "orgs", metadata,
    _text("org", primary_key=True),
    _count("call_count"), _count("chain_length"), _hash("chain_head"), _time("created_at"),
    _count("labelled_count", from_zero=True),
    # How far the chain was found whole, the hash there, and when it was last walked from its beginning.
    _count("verified_length", from_zero=True),
    Column("verified_head", String(64), nullable=False, server_default="0" * 64),
    _time("fully_verified_at", nullable=True),
)  # fmt: skip

audit = Table(
    "audit", metadata,
    _text("org", primary_key=True), Column("idx", BigInteger, primary_key=True, autoincrement=False),
    _hash("prev_hash"), _hash("record_hash"), _text("record"), _time("created_at"),
    UniqueConstraint("org", "prev_hash", name="audit_no_fork"),
)  # fmt: skip

calls = Table(
    "calls", metadata,
    _text("org", primary_key=True), _text("call_id", primary_key=True), _time("created_at"),
    _text("status"), _text("task_type"), _text("task_cell"), _real("difficulty"),
    Column("model_id", Text), Column("provider", Text), Column("tier", Text),
    _count("cost_nusd"), _count("judge_cost_nusd"), _count("reference_cost_nusd"),
    Column("quality_score", Double), _text("quality_source"), _real("latency_ms"),
    Column("cascade_steps", Integer, nullable=False), Column("escalations", Integer, nullable=False),
    Column("fallbacks", Integer, nullable=False), _real("propensity"), _text("router"),
    Column("simulated", Boolean, nullable=False), _hash("record_hash"), _count("audit_idx"),
    Column("decision", CanonicalJSON, nullable=False), Column("prompt", FreeText), Column("inputs", LargeBinary),
    Column("pool_cost_nusd", BigInteger),
    Index("calls_by_time", "org", "created_at"), Index("calls_by_creation", "created_at"),
)  # fmt: skip

# Sums over `calls`, moved by the transaction that logs one. Absent models and tiers are "none".
call_sums = Table(
    "call_sums", metadata,
    *(_text(name, primary_key=True) for name in ("org", "router", "model_id", "tier")),
    *(_count(f"{name}_nusd") for name in ("cost", "judge_cost", "reference_cost", "pool_cost")),
    *(_count(name) for name in ("total_calls", "pool_calls", "rated", "timed")),
    _real("quality"), _real("latency_ms"),
)  # fmt: skip

_DISPUTED = text("disputed_nusd > 0")

attempts = Table(
    "attempts", metadata,
    _text("attempt_id", primary_key=True), _text("org"), _text("call_id"),
    Column("step", Integer, nullable=False), _text("kind"), _text("model_id"), _text("tier"),
    _text("deployment"), _text("status"), _count("reserved_nusd"), _time("started_at"),
    Column("cost_nusd", BigInteger), Column("cost_source", Text), _count("disputed_nusd", from_zero=True),
    _count("prompt_tokens"), _count("cached_tokens"), _count("completion_tokens"), _count("reasoning_tokens"),
    Column("latency_ms", Double), Column("error", FreeText), Column("response", CanonicalJSON),
    _time("finished_at", nullable=True),
    Index("attempts_by_call", "org", "call_id"),
    Index("attempts_disputed", "org", sqlite_where=_DISPUTED, postgresql_where=_DISPUTED),
)  # fmt: skip

# Which processes are alive: each renews a row of its own until it ends.
leases = Table(
    "leases", metadata, _text("holder", primary_key=True), _time("taken_at"), _time("expires_at"),
)  # fmt: skip

# Calls that were begun and are not logged: what a dead process left behind is found here.
open_calls = Table(
    "open_calls", metadata,
    _text("org", primary_key=True), _text("call_id", primary_key=True), Column("holder", Text), _time("asked_at"),
    Column("tries", Integer, nullable=False, server_default="0"), Column("reason", FreeText),
    _time("set_aside_at", nullable=True),
)  # fmt: skip

# A row for each cell, and one of cell "*" for all of them together.
posteriors = Table(
    "posteriors", metadata,
    _text("org", primary_key=True), _text("task_cell", primary_key=True), _text("model_id", primary_key=True),
    _text("tier"), _real("successes"), _real("failures"),
    _real("reward_sum"), _real("predicted_sum"), _real("weight"), _count("calls_seen"), _time("updated_at"),
    *(_real(name, from_zero=True) for name in (
        "reward_total", "predicted_total", "weight_total", "fast_reward", "fast_predicted", "fast_weight",
        "drift_up", "drift_down", "forgotten_reward", "forgotten_predicted", "forgotten_weight", "return_odds",
    )),
    *(_count(name, from_zero=True) for name in (
        "rescue_tries", "rescues", "drift_calls", "drifts", "drifted_at",
    )),
)  # fmt: skip

# What was added to `posteriors`, once per answer: the key makes a repeated delivery count nothing.
evidence_log = Table(
    "evidence_log", metadata,
    _text("org", primary_key=True), _text("call_id", primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    _text("task_cell"), _text("model_id"), _real("success"), _real("failure"),
    Column("reward", Double), Column("predicted", Double), _count("org_calls"), _time("created_at"),
)  # fmt: skip

keys = Table(
    "keys", metadata,
    _text("key_id", primary_key=True), _text("org"), _hash("key_hash"), _time("created_at"),
    Column("rate_limit_rpm", Integer, nullable=False), _time("revoked_at", nullable=True),
    Column("is_admin", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("key_hash", name="keys_hash"), Index("keys_by_org", "org"),
)  # fmt: skip

# When a key with a limit asked, no longer than the limit looks back.
key_requests = Table(
    "key_requests", metadata, _text("key_id"), _time("asked_at"),
    Index("key_requests_by_time", "key_id", "asked_at"),
)  # fmt: skip

# Call ids that callers named: the key gives each to one request.
call_claims = Table(
    "call_claims", metadata, _text("org", primary_key=True), _text("call_id", primary_key=True), _time("claimed_at"),
)  # fmt: skip

# What was fitted for an org. At most one of a kind is live: `live_of` is the kind there and null elsewhere.
artifacts = Table(
    "artifacts", metadata,
    _text("org", primary_key=True), _text("kind", primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    _time("created_at"), _text("status"), _text("parameters"), Column("metrics", CanonicalJSON, nullable=False),
    Column("replaces", BigInteger), Column("live_of", Text),
    UniqueConstraint("org", "live_of", name="artifacts_one_live"),
)  # fmt: skip

# Refits that are due: one for each count of labelled calls at which an org's estimators are fitted again.
jobs = Table(
    "jobs", metadata,
    _text("org", primary_key=True), Column("labelled", BigInteger, primary_key=True, autoincrement=False),
    _text("status"), _time("created_at"), _time("claimed_at", nullable=True), _time("finished_at", nullable=True),
    Column("detail", FreeText), Index("jobs_by_status", "status"),
)  # fmt: skip

# What became known of an answer afterwards. The key makes a repeated label count nothing.
labels = Table(
    "labels", metadata,
    _text("org", primary_key=True), _text("call_id", primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False), _text("source", primary_key=True),
    _real("right"), _time("created_at"),
)  # fmt: skip

# How labelled answers spread over a judge's score bins; counted up only. Other bin edges are another judge.
judge_counts = Table(
    "judge_counts", metadata,
    _text("org", primary_key=True), _text("judge", primary_key=True), _text("edges", primary_key=True),
    Column("bin", Integer, primary_key=True, autoincrement=False), _real("right"), _real("wrong"),
)  # fmt: skip

# What judged answers looked like, in numbers: what an org's own free verifier is fitted on.
judged_answers = Table(
    "judged_answers", metadata,
    _text("org", primary_key=True), _text("call_id", primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False), _time("created_at"),
    _text("task_cell"), _text("model_id"), _text("tier"),
    Column("features", LargeBinary, nullable=False), _text("features_id"), _real("prior_prob"),
    Column("score_bin", Integer, nullable=False), _text("judge"),
    Index("judged_answers_by_time", "org", "created_at"),
)  # fmt: skip

# What the calls under one budget cost so far: reservations until the cost is known.
budgets = Table(
    "budgets", metadata,
    _text("org", primary_key=True), _text("account", primary_key=True), _count("spent_nusd"), _count("calls"),
)  # fmt: skip
