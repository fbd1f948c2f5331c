"""The tables.

A column carries the name of the record field it keeps, so that a row and a record convert by name.
"""

from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    select,
    text,
)

from .column_types import CanonicalJSON, FreeText, PackedText, UtcMicroseconds, Words

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def values_of(record: "DataclassInstance") -> dict[str, Any]:
    """Return the record's fields by name, nested values as they are."""
    return {name: getattr(record, name) for name in _field_names(type(record))}


@cache
def _field_names(record_type: "type[DataclassInstance]") -> tuple[str, ...]:
    return tuple(field.name for field in fields(record_type))


def columns_for(table: Table, record_type: "type[DataclassInstance]") -> list[ColumnElement[Any]]:
    """Return the table's columns that make up the record, in the order of its fields; a prompt from its own table."""
    names = [field.name for field in fields(record_type)]
    return [table.c[name] if name in table.c else _KEPT_APART[table.name, name] for name in names]


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


def _logged_by(table: str) -> tuple[Index, ...]:
    """Return the indexes of a log: in the order of the chain, by user, and by prompt where one is kept."""
    by_user, by_prompt = text("user_id IS NOT NULL"), text("prompt_sha256 IS NOT NULL")
    return (
        Index(f"{table}_by_entry", "org", "audit_idx"),
        Index(
            f"{table}_by_user", "org", "user_id", "audit_idx", sqlite_where=by_user, postgresql_where=by_user
        ),
        Index(
            f"{table}_by_prompt", "org", "prompt_sha256", sqlite_where=by_prompt, postgresql_where=by_prompt
        ),
    )


metadata = MetaData()

# The chain's length and head live here, apart from its entries: cutting the tail off `audit` leaves a trace.
_ERASED = text("erasures > 0")
orgs = Table(
    "orgs", metadata,
    _text("org", primary_key=True),
    _count("call_count"), _count("chain_length"), _hash("chain_head"), _time("created_at"),
    _count("labelled_count", from_zero=True),
    # How far the chain was found whole, the hash there, and when it was last walked from its beginning.
    _count("verified_length", from_zero=True),
    Column("verified_head", String(64), nullable=False, server_default="0" * 64),
    _time("fully_verified_at", nullable=True),
    # How often it was erased: processes that see it go up drop what they know of the org.
    _count("erasures", from_zero=True),
    Index("orgs_erased", "erasures", sqlite_where=_ERASED, postgresql_where=_ERASED),
)  # fmt: skip

audit = Table(
    "audit", metadata,
    _text("org", primary_key=True), Column("idx", BigInteger, primary_key=True, autoincrement=False),
    _hash("prev_hash"), _hash("record_hash"), Column("record", PackedText, nullable=False), _time("created_at"),
    UniqueConstraint("org", "prev_hash", name="audit_no_fork"),
)  # fmt: skip

_ANSWERED = text("turn_key IS NOT NULL")

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
    Column("decision", CanonicalJSON(packed=True), nullable=False),
    Column("inputs", LargeBinary), Column("pool_cost_nusd", BigInteger),
    Column("user_id", FreeText), Column("prompt_sha256", String(64)),
    Column("conversation_id", Text), Column("turn_key", LargeBinary),
    Column("cache_type", Text), _count("cache_saved_nusd", from_zero=True),
    Index("calls_by_turn", "org", "turn_key", sqlite_where=_ANSWERED, postgresql_where=_ANSWERED),
    Index("calls_by_time", "org", "created_at"), Index("calls_by_creation", "created_at"),
    *_logged_by("calls"),
)  # fmt: skip

# Decisions that were asked for alone: no model was asked, so they cost nothing and move no sum.
decisions = Table(
    "decisions", metadata,
    _text("org", primary_key=True), _text("call_id", primary_key=True), _time("created_at"),
    _text("config"), _text("task_type"), _text("task_cell"), _real("expected_quality"), _count("cost_nusd"),
    _real("latency_ms"), _real("propensity"), Column("facts", CanonicalJSON(packed=True), nullable=False),
    Column("user_id", FreeText), Column("prompt_sha256", String(64)), _hash("record_hash"), _count("audit_idx"),
    Index("decisions_by_creation", "created_at"), *_logged_by("decisions"),
)  # fmt: skip

# Each stored prompt once for each org that sent it. Never once for several: then whether one org's words are gone, or
# were there before, would depend on another's.
prompts = Table(
    "prompts", metadata,
    _text("org", primary_key=True), Column("sha256", String(64), primary_key=True),
    Column("text", FreeText, nullable=False),
)  # fmt: skip

_KEPT_APART = {
    (one.name, "prompt"): select(prompts.c.text)
    .where(prompts.c.org == one.c.org, prompts.c.sha256 == one.c.prompt_sha256)
    .scalar_subquery()
    .label("prompt")
    for one in (calls, decisions)
}

# Sums over `calls`, moved by the transaction that logs one. Absent models and tiers are "none".
call_sums = Table(
    "call_sums", metadata,
    *(_text(name, primary_key=True) for name in ("org", "router", "model_id", "tier")),
    *(_count(f"{name}_nusd") for name in ("cost", "judge_cost", "reference_cost", "pool_cost")),
    *(_count(name) for name in ("total_calls", "pool_calls", "rated", "timed")),
    *(_count(name, from_zero=True) for name in ("cache_hits", "cache_saved_nusd")),
    _real("quality"), _real("latency_ms"),
)  # fmt: skip

# The same by UTC day, for pages; and by kind of task, with what intervals and comparisons need.
day_sums = Table(
    "day_sums", metadata,
    *(_text(name, primary_key=True) for name in ("org", "day", "model_id", "tier")),
    *(_count(f"{name}_nusd") for name in ("cost", "judge_cost", "reference_cost")),
    *(_count(name) for name in ("total_calls", "judged", "rated", "timed")),
    *(_count(name, from_zero=True) for name in ("escalated", "fell_back", "failed", "simulated")),
    _real("quality"), _real("latency_ms"), _real("quality_sq", from_zero=True), _real("saved_sq", from_zero=True),
    _count("believed", from_zero=True), _real("right_prob", from_zero=True),
)  # fmt: skip
day_latencies = Table(
    "day_latencies", metadata,
    *(_text(name, primary_key=True) for name in ("org", "day", "model_id", "tier")),
    Column("bucket", Integer, primary_key=True, autoincrement=False), _count("total_calls"),
)  # fmt: skip
choice_sums = Table(
    "choice_sums", metadata,
    *(_text(name, primary_key=True) for name in ("org", "task_cell", "model_id")),
    *(_count(f"{name}_nusd") for name in ("cost", "judge_cost", "reference_cost", "counted_paid")),
    *(_count(f"{name}_tokens") for name in ("prompt", "cached", "completion")),
    *(_count(name) for name in ("total_calls", "judged", "rated", "counted_calls")),
    *(_real(name) for name in ("quality", "quality_sq", "paid_sq", "reference_sq", "paid_reference")),
    _count("believed", from_zero=True), _real("right_prob", from_zero=True),
)  # fmt: skip

_DISPUTED = text("disputed_nusd > 0")
_BYOK = text("byok_key IS NOT NULL")

attempts = Table(
    "attempts", metadata,
    _text("attempt_id", primary_key=True), _text("org"), _text("call_id"),
    Column("step", Integer, nullable=False), _text("kind"), _text("model_id"), _text("tier"),
    _text("deployment"), _text("status"), _count("reserved_nusd"), _time("started_at"),
    Column("cost_nusd", BigInteger), Column("cost_source", Text), _count("disputed_nusd", from_zero=True),
    _count("prompt_tokens"), _count("cached_tokens"), _count("completion_tokens"), _count("reasoning_tokens"),
    Column("latency_ms", Double), Column("error", FreeText), Column("response", CanonicalJSON),
    _time("finished_at", nullable=True), Column("byok_key", Text),
    Index("attempts_by_call", "org", "call_id"),
    Index("attempts_byok", "org", sqlite_where=_BYOK, postgresql_where=_BYOK),
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
    _time("drifted_on", nullable=True),
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
    *(Column(name, Text, nullable=False, server_default="") for name in ("family", "prefix")),
    Column("scopes", Words, nullable=False, server_default="call read feedback"),
    *(_time(name, nullable=True) for name in ("expires_at", "last_used_at")),
    *(Column(f"{span}_nusd", BigInteger) for span in ("call", "day", "month")),
    *(Column(name, Integer, nullable=False, server_default="0") for name in ("tokens_per_minute", "concurrent_calls")),
    *(Column(f"{span}_tokens", BigInteger) for span in ("day", "month")),
    UniqueConstraint("key_hash", name="keys_hash"), Index("keys_by_org", "org"),
)  # fmt: skip

# Calls of whoever is limited, no longer than the limits look back, or as long as they are under way.
rate_slots = Table(
    "rate_slots", metadata,
    *(_text(name, primary_key=True) for name in ("org", "owner", "slot_id")),
    _time("asked_at"), _count("tokens"), _time("open_until", nullable=True),
    Index("rate_slots_by_time", "org", "owner", "asked_at"),
)  # fmt: skip

# What orgs brought along to be asked with; `sealed` is encrypted, `prefix` is there to tell keys apart.
provider_keys = Table(
    "provider_keys", metadata,
    _text("org", primary_key=True), _text("key_id", primary_key=True), _text("provider"),
    Column("priority", Integer, nullable=False), _text("prefix"), Column("sealed", LargeBinary, nullable=False),
    _time("created_at"),
)  # fmt: skip

# Call ids that callers named: the key gives each to one request.
call_claims = Table(
    "call_claims", metadata, _text("org", primary_key=True), _text("call_id", primary_key=True), _time("claimed_at"),
)  # fmt: skip

# Chains of calls that callers name, by a digest of the name.
chains = Table(
    "chains", metadata,
    _text("org", primary_key=True), Column("chain_key", LargeBinary, primary_key=True),
    Column("steps", BigInteger, nullable=False), _time("began_at"), _time("seen_at"),
    Index("chains_by_time", "seen_at"),
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

# Folders of training data that are wanted. An org has one open job at most: `open_of` is the org until it ends.
improvements = Table(
    "improvements", metadata,
    _text("org", primary_key=True), _text("job_id", primary_key=True), _text("status"), _time("created_at"),
    _time("seen_at", nullable=True), _time("finished_at", nullable=True),
    Column("options", CanonicalJSON, nullable=False), _text("phase"), _count("done"), _count("total"),
    Column("detail", FreeText), Column("result", CanonicalJSON), Column("open_of", Text),
    UniqueConstraint("open_of", name="improvements_one_open"),
)  # fmt: skip

# Models that one org alone may be answered by.
own_models = Table(
    "own_models", metadata,
    _text("org", primary_key=True), _text("model_id", primary_key=True),
    Column("spec", CanonicalJSON, nullable=False), _time("registered_at"),
)  # fmt: skip

# Orgs whose calls are never gathered to train on.
training_opt_outs = Table(
    "training_opt_outs", metadata, _text("org", primary_key=True), _time("since"),
)  # fmt: skip

# What became known of an answer afterwards, newest word of each source, and what it counted as, to be taken back.
labels = Table(
    "labels", metadata,
    _text("org", primary_key=True), _text("call_id", primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False), _text("source", primary_key=True),
    _real("right"), _time("created_at"),
    *(Column(name, Text) for name in ("model_id", "task_cell", "judge")),
    *(Column(name, Integer) for name in ("place", "epoch")), Column("predicted", Double), Column("edges", Text),
    *(Column(name, FreeText) for name in ("correct_model", "note", "corrected_answer")),
    Column("sampled_prob", Double),
)  # fmt: skip

# How labelled answers spread over models, cells and a judge's score bins. Other bin edges are another judge.
label_counts = Table(
    "label_counts", metadata,
    *(_text(name, primary_key=True) for name in ("org", "source", "model_id", "task_cell", "judge", "edges")),
    *(Column(name, Integer, primary_key=True, autoincrement=False) for name in ("place", "epoch")),
    _real("right"), _real("wrong"), _real("predicted"),
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
    _count("tokens", from_zero=True),
)  # fmt: skip

# What an org set for its calls; a row holds what differs from the gateway's settings.
org_settings = Table(
    "org_settings", metadata,
    _text("org", primary_key=True), Column("settings", CanonicalJSON, nullable=False), _time("updated_at"),
)  # fmt: skip

# What was said in calls whose org lets it be remembered. `scope` is whose it is within the org: a user's, or nobody's.
memories = Table(
    "memories", metadata,
    _text("org", primary_key=True), _text("scope", primary_key=True), _text("memory_id", primary_key=True),
    _text("conversation_id"), _text("call_id"), _text("role"), Column("text", FreeText, nullable=False),
    Column("allowed_providers", Text), _time("created_at"), Column("vector", LargeBinary), _text("encoder"),
    Index("memories_by_time", "org", "scope", "created_at"), Index("memories_by_creation", "created_at"),
)  # fmt: skip

# Answers that may be given again, where words may be kept; from `context` on of questions that may be reworded.
cached_answers = Table(
    "cached_answers", metadata,
    _text("org", primary_key=True), Column("key", String(64), primary_key=True), _text("call_id"),
    _time("created_at"), _time("expires_at"), Column("answer", CanonicalJSON, nullable=False), _count("size_bytes"),
    Column("context", String(64)), Column("question", FreeText), Column("vector", LargeBinary), Column("encoder", Text),
    Index("cached_answers_by_call", "org", "call_id"),
    Index("cached_answers_by_context", "org", "context", "created_at"),
    Index("cached_answers_by_creation", "created_at"), Index("cached_answers_by_end", "expires_at"),
)  # fmt: skip

# Responses that may be read again and gone on from, where words may be kept: each with the conversation it answers.
responses = Table(
    "responses", metadata,
    _text("org", primary_key=True), _text("call_id", primary_key=True), _time("created_at"),
    Column("content", CanonicalJSON(packed=True), nullable=False),
    Index("responses_by_creation", "created_at"),
)  # fmt: skip

# Which orgs let it be remembered, and for how long; an org without a row does not.
memory_settings = Table(
    "memory_settings", metadata,
    _text("org", primary_key=True), Column("enabled", Boolean, nullable=False),
    Column("budget_tokens", Integer, nullable=False), Column("keep_days", Double), _time("changed_at"),
)  # fmt: skip

# Who may sign in to the pages, and who is signed in: of a browser's token the hash is kept.
accounts = Table(
    "accounts", metadata,
    _text("account_id", primary_key=True), _text("name"), _text("password_hash"),
    Column("is_admin", Boolean, nullable=False), Column("orgs", Words, nullable=False), _time("created_at"),
    _time("disabled_at", nullable=True), UniqueConstraint("name", name="accounts_name"),
)  # fmt: skip
account_sessions = Table(
    "account_sessions", metadata, Column("token_hash", String(64), primary_key=True), _text("account_id"),
    _time("created_at"), _time("expires_at"),
)  # fmt: skip
account_setups = Table(
    "account_setups", metadata,
    Column("token_hash", String(64), primary_key=True), _time("created_at"), _time("expires_at"),
)  # fmt: skip
