"""Databases as an earlier release left them."""

from collections.abc import Callable, Iterator

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import Engine, create_engine

from x25.state.migrations.upgrade import load_scripts


@pytest.fixture
def migrated_to(tmp_path) -> Iterator[Callable[[str], Engine]]:
    """Yield a function that brings an empty database to a revision and no further."""
    engine = create_engine(f"sqlite:///{tmp_path}/old.db")
    scripts = load_scripts()

    def migrate(revision: str) -> Engine:
        oldest_first = reversed(list(scripts.iterate_revisions(revision, "base")))
        steps = [MigrationStep.upgrade_from_script(scripts.revision_map, script) for script in oldest_first]
        with engine.begin() as connection:
            context = MigrationContext.configure(connection, opts={"fn": lambda *_: steps})
            with Operations.context(context):
                context.run_migrations()
        return engine

    yield migrate
    engine.dispose()
