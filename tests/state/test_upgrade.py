import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import create_engine, inspect, text

from x25.state.errors import StoreError
from x25.state.migrations.upgrade import load_scripts, upgrade
from x25.state.schema import metadata


@pytest.fixture
def engine(tmp_path):
    made = create_engine(f"sqlite:///{tmp_path}/a.db")
    yield made
    made.dispose()


def test_empty_database_gets_every_table_and_its_revision(engine):
    with engine.begin() as connection:
        upgrade(connection)
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_upgrading_twice_changes_nothing(engine):
    for _ in range(2):
        with engine.begin() as connection:
            upgrade(connection)
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [
            load_scripts().get_current_head()
        ]


def test_interrupted_upgrade_leaves_no_table(engine):
    with pytest.raises(KeyboardInterrupt):
        upgrade_then_stop(engine)
    assert inspect(engine).get_table_names() == []


def upgrade_then_stop(engine) -> None:
    with engine.begin() as connection:
        upgrade(connection)
        raise KeyboardInterrupt


def test_revision_of_the_future_is_refused_and_left_alone(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('2099')"))
    with pytest.raises(StoreError, match=r"newer version of x25 \(schema 2099"), engine.begin() as connection:
        upgrade(connection)
    assert inspect(engine).get_table_names() == ["alembic_version"]


def write_first_schema(engine, statements) -> None:
    """Make a database as the first release left it."""
    with engine.begin() as connection:
        scripts = load_scripts()
        step = MigrationStep.upgrade_from_script(scripts.revision_map, scripts.get_revision("0001"))
        context = MigrationContext.configure(connection, opts={"fn": lambda *_: [step]})
        with Operations.context(context):
            context.run_migrations()
        for statement in statements:
            connection.execute(text(statement))


def test_evidence_of_the_first_schema_keeps_its_sums_and_gains_its_long_run(engine):
    cell = "INSERT INTO posteriors VALUES ('acme', '{}', 'v/m', 'mid', 3, 1, 0.9, 0.8, 1.5, {}, 0)"
    log = "INSERT INTO evidence_log VALUES ('acme', 'c{}', 0, '{}', 'v/m', 1, 0, {}, {}, 1, 0)"
    write_first_schema(engine, [
        cell.format("qa", 7), cell.format("code", 9),
        log.format(1, "qa", 1.5, 0.75), log.format(2, "qa", -0.5, 0.25), log.format(3, "qa", "NULL", "NULL"),
        log.format(4, "code", 1.0, 0.5),
    ])  # fmt: skip
    with engine.begin() as connection:
        upgrade(connection)
        rows = connection.execute(text(
            "SELECT task_cell, successes, weight, calls_seen, reward_total, predicted_total, weight_total, drifts"
            " FROM posteriors ORDER BY task_cell"
        )).all()  # fmt: skip
    assert [tuple(row) for row in rows] == [
        ("*", 6.0, 3.0, 9, 2.0, 1.5, 3.0, 0),
        ("code", 3.0, 1.5, 9, 1.0, 0.5, 1.0, 0),
        ("qa", 3.0, 1.5, 7, 1.0, 1.0, 2.0, 0),
    ]


def test_damaged_evidence_does_not_stop_an_upgrade(engine):
    write_first_schema(engine, [
        "INSERT INTO posteriors VALUES ('acme', 'qa', 'v/m', 'mid', 'much', 9e999, 'x', -1, 2, 7, 0)",
        "INSERT INTO evidence_log VALUES ('acme', 'c1', 0, 'qa', 'v/m', 1, 0, 'x', 9e999, 1, 0)",
    ])  # fmt: skip
    with engine.begin() as connection:
        upgrade(connection)
        assert connection.scalar(text("SELECT COUNT(*) FROM posteriors")) == 2


def test_calls_of_the_first_schema_are_kept_without_a_vector_and_their_org_without_labels(engine):
    row = "'acme', 'c1', 0, 'answered', 'qa', 'qa', 0.5, 'v/m', 'v', 'mid', 1, 1, 1, 0.5, 'judge', 2.0, 1, 0, 0, 1.0"
    write_first_schema(engine, [
        f"INSERT INTO orgs VALUES ('acme', 1, 1, '{'a' * 64}', 0)",
        f"INSERT INTO calls VALUES ({row}, 'auto', 0, '{'a' * 64}', 0, '{{}}', NULL)",
    ])  # fmt: skip
    with engine.begin() as connection:
        upgrade(connection)
        assert connection.execute(text("SELECT call_id, inputs FROM calls")).all() == [("c1", None)]
        assert connection.scalar(text("SELECT labelled_count FROM orgs")) == 0
