"""An empty database is given at once what the migrations lead to, on every kind of database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from x25.state.migrations.upgrade import create_schema, load_scripts, upgrade


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def engines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Engine, Engine]]:
    """Yield two empty databases of one kind."""
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "other")]
    if request.param == "postgres":
        new_url = request.getfixturevalue("new_postgres_url")
        urls = [new_url() for _ in urls]
    one, other = map(create_engine, urls)
    yield one, other
    one.dispose()
    other.dispose()


def shape(engine: Engine) -> dict[str, object]:
    """Return all that a database says of its tables, columns in any order; and how many rows each holds."""
    seen, found = inspect(engine), {}
    with engine.connect() as connection:
        for table in seen.get_table_names():
            columns = {
                one["name"]: (str(one["type"]), one["nullable"], one["default"])
                for one in seen.get_columns(table)
            }
            found[table] = (
                columns,
                seen.get_pk_constraint(table)["constrained_columns"],
                sorted((one["name"], one["column_names"], one["unique"]) for one in seen.get_indexes(table)),
                sorted(one["column_names"] for one in seen.get_unique_constraints(table)),
                sorted(
                    (one["constrained_columns"], one["referred_table"], one["referred_columns"])
                    for one in seen.get_foreign_keys(table)
                ),
                sorted(one["sqltext"] for one in seen.get_check_constraints(table)),
                connection.scalar(text(f"SELECT count(*) FROM {table}")),
            )
    return found


def test_what_is_made_at_once_is_what_the_migrations_make(engines: tuple[Engine, Engine]) -> None:
    made, migrated = engines
    with made.begin() as connection:
        assert create_schema(connection)
    with migrated.begin() as connection:
        upgrade(connection)
    assert shape(made) == shape(migrated)
    with made.connect() as connection:
        assert connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [
            load_scripts().get_current_head()
        ]


def test_what_is_there_is_left_to_the_migrations(engines: tuple[Engine, Engine]) -> None:
    old, _ = engines
    with old.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    with old.begin() as connection:
        assert not create_schema(connection)
    assert inspect(old).get_table_names() == ["alembic_version"]


def test_of_several_that_find_it_empty_one_makes_it(engines: tuple[Engine, Engine]) -> None:
    empty, _ = engines

    def open_it(_: int) -> bool:
        with empty.begin() as connection:
            return create_schema(connection)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(open_it, range(8))) == [True] * 8


def test_one_that_is_broken_off_leaves_nothing(engines: tuple[Engine, Engine]) -> None:
    empty, _ = engines
    with pytest.raises(KeyboardInterrupt):
        create_then_stop(empty)
    assert inspect(empty).get_table_names() == []


def create_then_stop(engine: Engine) -> None:
    with engine.begin() as connection:
        create_schema(connection)
        raise KeyboardInterrupt
