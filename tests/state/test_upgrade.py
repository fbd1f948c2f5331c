import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import (
    BigInteger,
    Boolean,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    create_engine,
    inspect,
    select,
    text,
)

from x25.state.errors import StoreError
from x25.state.migrations.upgrade import load_scripts, upgrade
from x25.state.schema import metadata
from x25.state.store import open_store


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


REVISIONS = [script.revision for script in load_scripts().walk_revisions()][::-1]
ORGS = ("acme", "umbrella")
DROPPED = {"key_requests"}
"""Tables whose rows count no more a minute later, so none is taken over."""
RENAMED = {"looks": "judged_answers", "judge_counts": "label_counts", "bin": "place"}


def sample(column, org):
    """Return a value that a column of an old table could hold, of one org's row."""
    if column.name in {"org", "key_id", "holder", "attempt_id", "key_hash"}:
        return f"{org}" if column.name == "org" else f"{org}-{column.name}"
    if column.nullable:
        return None
    if column.name in {"decision", "facts", "metrics", "record"}:
        return "{}"
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, LargeBinary):
        return b""
    return 1 if isinstance(column.type, BigInteger | Integer | Float) else f"{org} {column.name}"[:64]


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_of_any_earlier_schema_opens_and_keeps_every_row(migrated_to, revision):
    engine = migrated_to(revision)
    old = MetaData()
    old.reflect(engine)
    tables = [table for table in old.sorted_tables if table.name != "alembic_version"]
    with engine.begin() as connection:
        for table in tables:
            rows = [{column.name: sample(column, org) for column in table.columns} for org in ORGS]
            connection.execute(table.insert(), rows)
    with engine.begin() as connection:
        upgrade(connection)
    new = MetaData()
    new.reflect(engine)
    with engine.connect() as connection:
        for table in tables:
            keys = [column.name for column in table.primary_key] or ["key_id"]
            if table.name in DROPPED:
                continue
            now = new.tables[RENAMED.get(table.name, table.name)]
            kept = {
                tuple(row)
                for row in connection.execute(select(*(now.c[RENAMED.get(key, key)] for key in keys)))
            }
            written = {tuple(sample(table.c[key], org) for key in keys) for org in ORGS}
            assert written <= kept, table.name
    assert set(new.tables) == {*metadata.tables, "alembic_version"}


async def test_prompts_of_an_earlier_schema_are_read_and_erased_by_this_one(migrated_to, tmp_path):
    engine = migrated_to("0013")
    with engine.begin() as connection:
        connection.execute(text(
            "INSERT INTO calls VALUES ('acme', 'c1', 0, 'answered', 'qa', 'qa', 0.5, 'v/m', 'v', 'mid', 1, 1, 1, 0.5,"
            f" 'judge', 2.0, 1, 0, 0, 1.0, 'auto', 0, '{'a' * 64}', 0, '{{}}', 'an old prompt', NULL, NULL)"
        ))  # fmt: skip
        connection.execute(text(
            f"INSERT INTO audit VALUES ('acme', 0, '{'0' * 64}', '{'a' * 64}', '{{}}', 0)"
        ))  # fmt: skip
        connection.execute(text(
            "INSERT INTO orgs (org, call_count, chain_length, chain_head, created_at)"
            f" VALUES ('acme', 1, 1, '{'a' * 64}', 0)"
        ))  # fmt: skip
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/old.db") as store:
        assert (await store.calls.get("acme", "c1")).prompt == "an old prompt"
        assert await store.erasure.delete("acme", "c1")
        assert await store.history.count("acme") == 0
