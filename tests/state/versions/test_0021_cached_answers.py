from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import create_engine, inspect, text

from x25.state.migrations.upgrade import load_scripts, upgrade


def test_sums_of_before_count_no_hits_and_the_table_is_empty(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/a.db")
    scripts = load_scripts()
    before = scripts.get_revision("0021").down_revision
    steps = [
        MigrationStep.upgrade_from_script(scripts.revision_map, one)
        for one in reversed(list(scripts.iterate_revisions(before, "base")))
    ]
    names = "cost_nusd, judge_cost_nusd, reference_cost_nusd, pool_cost_nusd, total_calls, pool_calls, rated, timed"
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"fn": lambda *_: steps})
        with Operations.context(context):
            context.run_migrations()
        connection.execute(
            text(
                f"INSERT INTO call_sums (org, router, model_id, tier, {names}, quality, latency_ms) "
                "VALUES ('acme', 'auto', 'v/m', 'mid', 1, 1, 1, 1, 1, 0, 1, 1, 0.5, 2.0)"
            )
        )
    with engine.begin() as connection:
        upgrade(connection)
        found = connection.execute(
            text("SELECT total_calls, cache_hits, cache_saved_nusd FROM call_sums")
        ).one()
        assert tuple(found) == (1, 0, 0)
        assert connection.scalar(text("SELECT count(*) FROM cached_answers")) == 0
    assert {"cache_type", "cache_saved_nusd"} <= {one["name"] for one in inspect(engine).get_columns("calls")}
    engine.dispose()
