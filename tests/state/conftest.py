"""A store on a SQLite file, and records to put into it."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from sqlalchemy import Engine, create_engine

from x25.state.migrations.upgrade import load_scripts
from x25.state.records import Attempt, Call
from x25.state.sqlite_driver import make_private
from x25.state.store import Store, open_store

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
CALL = Call(
    call_id="c1", org="acme", created_at=NOON, status="answered", task_type="qa", task_cell="qa",
    difficulty=0.5, model_id="v/m", provider="v", tier="mid", cost_nusd=100, judge_cost_nusd=10,
    reference_cost_nusd=900, quality_score=0.5, quality_source="judge", latency_ms=2.0,
    cascade_steps=1, escalations=0, fallbacks=0, propensity=1.0, router="auto", simulated=True,
    record_hash="",
)  # fmt: skip
ATTEMPT = Attempt(
    attempt_id="a1", org="acme", call_id="c1", step=0, kind="answer", model_id="v/m", tier="mid",
    deployment="d", status="started", reserved_nusd=7, started_at=NOON,
)  # fmt: skip


@pytest.fixture(autouse=True)
def stores_as_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make each database's schema as the product does, not as a copy."""
    monkeypatch.setattr("x25.state.sqlite_driver.make_private", make_private)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/x25.db"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with await open_store(url) as opened:
        yield opened


@pytest.fixture
def make_call() -> Callable[..., Call]:
    return lambda **changes: replace(CALL, **changes)


@pytest.fixture
def make_attempt() -> Callable[..., Attempt]:
    def make(**changes: Any) -> Attempt:
        return replace(ATTEMPT, **changes)

    return make


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
