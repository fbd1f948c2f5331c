from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import create_engine, inspect, text

from x25.state.migrations.upgrade import load_scripts, upgrade


def test_calls_of_before_are_kept_and_belong_to_no_conversation(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/a.db")
    scripts = load_scripts()
    before = scripts.get_revision("0019").down_revision
    steps = [
        MigrationStep.upgrade_from_script(scripts.revision_map, one)
        for one in reversed(list(scripts.iterate_revisions(before, "base")))
    ]
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"fn": lambda *_: steps})
        with Operations.context(context):
            context.run_migrations()
        values = (
            "'acme', 'c1', 0, 'answered', 'qa', 'qa', 0.5, 'v/m', 'v', 'mid', 1, 1, 1, 0.5, 'judge', 2.0, "
            "1, 0, 0, 1"
        )
        columns = (
            "org, call_id, created_at, status, task_type, task_cell, difficulty, model_id, provider, tier, cost_nusd, "
            "judge_cost_nusd, reference_cost_nusd, quality_score, quality_source, latency_ms, cascade_steps, "
            "escalations, fallbacks, propensity, router, simulated, record_hash, audit_idx, decision"
        )
        row = f"{values}, 'auto', 0, '{'a' * 64}', 0, '{{}}'"
        connection.execute(text(f"INSERT INTO calls ({columns}) VALUES ({row})"))
    with engine.begin() as connection:
        upgrade(connection)
        found = connection.execute(text("SELECT call_id, conversation_id, turn_key FROM calls")).all()
    assert [tuple(one) for one in found] == [("c1", None, None)]
    assert {"memories", "memory_settings"} <= set(inspect(engine).get_table_names())
    assert "calls_by_turn" in {index["name"] for index in inspect(engine).get_indexes("calls")}
    engine.dispose()
