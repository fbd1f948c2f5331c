from importlib import import_module

from sqlalchemy import text

from x25.state.learning.labels import Labels
from x25.state.migrations.upgrade import upgrade
from x25.state.store import open_store

MIGRATION = import_module("x25.state.migrations.versions.0015_feedback")
LABEL = "INSERT INTO labels VALUES ('acme', 'c1', 0, 'feedback', 0.75, 1)"
COUNT = "INSERT INTO judge_counts VALUES ('acme', 'j/one', '0.2,0.4,0.6,0.8', 4, 3.75, 0.25)"
EVIDENCE = (
    "INSERT INTO evidence_log (org, call_id, step, task_cell, model_id, success, failure, org_calls, created_at)"
    " VALUES ('acme', 'c1', 0, 'qa', 'v/m', 0.9, 0.1, 0, 0)"
)
CALL = (
    "INSERT INTO calls (org, call_id, created_at, status, task_type, task_cell, difficulty, model_id, tier, cost_nusd,"
    " judge_cost_nusd, reference_cost_nusd, quality_source, latency_ms, cascade_steps, escalations, fallbacks,"
    " propensity, router, simulated, record_hash, audit_idx, decision) VALUES ('acme', 'c1', 0, 'answered', 'qa', 'qa',"
    " 0, 'v/m', 'mid', 1, 1, 1, 'judge', 1, 1, 0, 0, 1, 'auto', 0, '', 0, '{}')"
)
ATTEMPT = (
    "INSERT INTO attempts (attempt_id, org, call_id, step, kind, model_id, tier, deployment, status, reserved_nusd,"
    " started_at, prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens)"
    " VALUES ('{0}', 'acme', 'c1', 0, '{0}', '{1}', 'mid', 'd', 'finished', 1, 0, 1, 0, 1, 0)"
)
EDGES = (0.2, 0.4, 0.6, 0.8)


def test_this_follows_another_migration():
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0015", "0014")


async def test_labels_given_before_keep_counting_and_can_be_taken_back(migrated_to, tmp_path):
    engine = migrated_to("0014")
    said = (LABEL, COUNT, EVIDENCE, CALL, ATTEMPT.format("answer", "v/m"), ATTEMPT.format("judge", "j/one"))
    with engine.begin() as connection:
        for statement in said:
            connection.execute(text(statement))
    with engine.begin() as connection:
        upgrade(connection)
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/old.db") as store:
        labels: Labels = store.labels
        counts = (await store.judge_tables.counts("acme", EDGES))["j/one"]
        assert (counts.right[4], counts.wrong[4]) == (3.75, 0.25)
        assert await labels.count("acme") == 1
        assert (await labels.retract("acme", "c1", source="feedback", edges=EDGES)).became == "retracted"
        counts = (await store.judge_tables.counts("acme", EDGES))["j/one"]
        assert (counts.right[4], counts.wrong[4], await labels.count("acme")) == (3.0, 0.0, 0)
