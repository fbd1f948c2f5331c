from hashlib import sha256
from importlib import import_module

from sqlalchemy import text

from x25.state.migrations.upgrade import upgrade

MIGRATION = import_module("x25.state.migrations.versions.0016_history")
OLD_CALL = """
INSERT INTO calls (org, call_id, created_at, status, task_type, task_cell, difficulty, cost_nusd, judge_cost_nusd,
    reference_cost_nusd, quality_source, latency_ms, cascade_steps, escalations, fallbacks, propensity, router,
    simulated, record_hash, audit_idx, decision, prompt)
VALUES (:org, :call_id, 0, 'answered', 'qa', 'qa', 0, 1, 0, 1, 'none', 1, 1, 0, 0, 1, 'auto', 0, '', :n, '{}', :prompt)
"""


def test_prompts_of_calls_move_into_their_own_table_once_an_org(migrated_to, monkeypatch):
    monkeypatch.setattr(MIGRATION, "AT_ONCE", 2)
    engine = migrated_to(MIGRATION.down_revision)
    with engine.begin() as connection:
        for n, (org, prompt) in enumerate(
            [("a", "same"), ("a", "same"), ("a", None), ("a", "ü other"), ("b", "same")]
        ):
            connection.execute(text(OLD_CALL), {"org": org, "call_id": f"c{n}", "n": n, "prompt": prompt})
    with engine.begin() as connection:
        upgrade(connection)
        kept = connection.execute(text("SELECT org, sha256, text FROM prompts ORDER BY org, text")).all()
        calls = connection.execute(
            text("SELECT call_id, prompt_sha256, user_id FROM calls ORDER BY call_id")
        ).all()
    assert [(org, words) for org, _, words in kept] == [("a", "same"), ("a", "ü other"), ("b", "same")]
    assert all(digest == sha256(words.encode()).hexdigest() for _, digest, words in kept)
    same, other = kept[0].sha256, kept[1].sha256
    assert [tuple(row) for row in calls] == [
        ("c0", same, None), ("c1", same, None), ("c2", None, None), ("c3", other, None), ("c4", same, None),
    ]  # fmt: skip
