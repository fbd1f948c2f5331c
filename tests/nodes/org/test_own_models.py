from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from x25.graph.own_models import Registration
from x25.nodes.org.own_models import OwnModelBook, spec_of
from x25.state.own_models import OwnModel
from x25.state.store import open_store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def registered(org="acme", model_id="own/m", after_s=0, **changes):
    wanted = replace(Registration(model_id, "http://127.0.0.1:9/v1"), **changes)
    return OwnModel(org, model_id, wanted.content(org), NOW + timedelta(seconds=after_s))


@pytest.fixture
async def store():
    async with await open_store("sqlite+aiosqlite://") as opened:
        yield opened


def test_a_model_costs_a_cent_a_million_tokens_at_tier_slm_and_can_nothing_beyond_text():
    spec = spec_of(registered())
    assert (spec.tier, float(spec.input_usd_per_mtok), float(spec.output_usd_per_mtok)) == ("slm", 0.01, 0.01)
    assert (spec.owner, spec.provider, spec.capabilities) == ("acme", "own", frozenset())


def test_two_orgs_models_of_one_id_are_remembered_apart():
    mine, theirs = spec_of(registered()), spec_of(registered("other"))
    assert mine.known_as != theirs.known_as
    assert mine.deployments[0].name != theirs.deployments[0].name


def test_a_free_model_and_a_measured_one_can_be_read():
    free = spec_of(registered(input_usd_per_mtok=0.0, output_usd_per_mtok=0.0, held_out_quality=0.8))
    assert free.priced
    assert free.measured_quality == 0.8


async def test_a_book_follows_what_is_registered_and_removed_and_keeps_orgs_apart(store):
    book = OwnModelBook()
    await book.refresh(store)
    assert dict(book.of("acme")) == {}
    await store.own_models.add(registered())
    await store.own_models.add(registered("other", "own/x", after_s=1))
    assert dict(book.of("acme")) == {}, "calls do not wait for the store"
    await book.refresh(store)
    assert (list(book.of("acme")), list(book.of("other")), list(book.of("third"))) == (
        ["own/m"],
        ["own/x"],
        [],
    )
    assert list(book.routers_of("acme")) == ["own/m"]
    await store.own_models.remove("acme", "own/m")
    await book.refresh(store)
    assert dict(book.of("acme")) == {}


async def test_a_model_that_cannot_be_read_counts_as_none_and_stops_no_other(store, caplog):
    await store.own_models.add(OwnModel("acme", "own/bad", {"model_id": "own/bad", "size": "large"}, NOW))
    await store.own_models.add(registered())
    book = OwnModelBook()
    await book.refresh(store)
    assert list(book.of("acme")) == ["own/m"]
    assert "own/bad cannot be asked" in caplog.text
