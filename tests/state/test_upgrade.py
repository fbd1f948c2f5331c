import pytest
from sqlalchemy import create_engine, inspect, text

from x25.state.errors import StoreError
from x25.state.migrations.upgrade import upgrade
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
        assert connection.scalars(text("SELECT version_num FROM alembic_version")).all() == ["0001"]


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
