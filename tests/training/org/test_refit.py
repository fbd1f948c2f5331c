import json
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import insert

from x25.graph.estimators import load_difficulty
from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.routing.belief.org_model import KIND, OrgModel
from x25.state.errors import NotFound
from x25.state.schema import calls as calls_table
from x25.state.schema import values_of
from x25.state.store import open_store
from x25.training.org.calls import Known, read_calls
from x25.training.org.fit import fit, start
from x25.training.org.refit import Gain, gain_of, has_won, read_log, refit, restated, roll_back

DIFFICULTY = load_difficulty()
RIDGES = (np.inf, 300.0, 100.0)


@pytest.fixture(scope="module")
def log(org_log):
    return org_log()


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


async def write(store, log):
    rows = [values_of(call) | {"audit_idx": 0} for call in log]
    await store.transact(lambda connection: connection.execute(insert(calls_table), rows) and None)


async def refit_now(store, **options):
    return await refit(store, "acme", DIFFICULTY, {}, ridges=RIDGES, **options)


def read(log, **options):
    return read_calls(log, DIFFICULTY, Known(**options))


async def test_labels_of_first_answers_reach_the_refit(store, log):
    await write(store, log[:100])
    say = "INSERT INTO labels (org, call_id, step, source, \"right\", created_at) VALUES ('{}', 'c0', {}, '{}', {}, 0)"
    for label in (("acme", 0, "check", 1.0), ("acme", 0, "audit", 0.5), ("acme", 1, "audit", 0.0),
                  ("umbrella", 0, "audit", 0.0)):  # fmt: skip
        await store.transact(
            lambda connection, label=label: connection.exec_driver_sql(say.format(*label)) and None
        )
    found = await read_log(store, "acme", DIFFICULTY, {}, DEFAULT_TABLE)
    mine = [call.call_id for call in log[:100]].index("c0")
    assert (found.seen.right[mine], found.seen.wrong[mine]) == (0.75, 0.25)


def test_a_gain_is_won_by_more_than_its_standard_error():
    rng = np.random.default_rng(0)
    groups = np.arange(400).astype(str)
    assert gain_of(rng.normal(0.2, 1.0, 400), groups).is_won
    assert not gain_of(np.zeros(400), groups).is_won
    wins = [gain_of(rng.normal(0.0, 1.0, 400), groups).is_won for _ in range(300)]
    assert 0.08 < np.mean(wins) < 0.25  # one standard error: 16 %
    repeated = gain_of(np.repeat(rng.normal(size=40), 10), np.repeat(np.arange(40), 10).astype(str))
    single = gain_of(np.repeat(rng.normal(size=40), 10), groups)
    assert repeated.standard_error > 2 * single.standard_error


@pytest.mark.parametrize(
    ("live", "offsets", "org_model_is_live", "wins"),
    [
        ((0.01, 0.02), (0.02, 0.01), False, True),
        ((-0.01, 0.02), (0.02, 0.01), False, False),
        ((0.03, 0.02), (0.01, 0.02), False, False),
        ((0.01, 0.02), (0.02, 0.01), True, False),
        ((0.03, 0.02), (0.02, 0.01), True, True),
        ((1e-9, 1e-10), (1e-9, 1e-10), True, False),
    ],
)
def test_what_serves_must_be_beaten_by_more_than_chance(live, offsets, org_model_is_live, wins):
    assert (
        has_won({"live": Gain(*live), "offsets": Gain(*offsets)}, org_model_is_live=org_model_is_live) is wins
    )


async def test_a_candidate_that_wins_goes_live_with_an_entry_in_the_chain(store, log):
    await write(store, log)
    found = await refit_now(store)
    assert (found.decision, found.version) == ("live", 1)
    loss = found.metrics["log_loss"]
    assert loss["candidate"] < min(loss["live"], loss["offsets"])
    live = await store.artifacts.live("acme", KIND)
    OrgModel.from_dict(json.loads(live.parameters)).require_base(DIFFICULTY)
    entry = (await store.audit.tail("acme", 1))[0].record
    assert (entry["kind"], entry["action"], entry["version"]) == ("artifact", "live", 1)
    assert entry["parameters_sha256"] == live.parameters_sha256
    assert entry["metrics"]["log_loss"] == loss
    assert (await store.audit.verify("acme")).intact


@pytest.mark.slow
async def test_a_candidate_that_does_not_win_is_rejected_and_recorded(store, log):
    await write(store, log)
    await refit_now(store)
    again = await refit_now(store)  # the same calls teach nothing new
    assert (again.decision, again.version) == ("rejected", 2)
    assert [one.status for one in await store.artifacts.list("acme", KIND)] == ["live", "rejected"]
    entry = (await store.audit.tail("acme", 1))[0].record
    assert (entry["action"], entry["version"]) == ("rejected", 2)


async def test_rollback_restores_predictions_exactly(store, log):
    await write(store, log)
    await store.posteriors.add_evidence(
        "acme", "c0", 0, task_cell="qa", model_id="v/small", tier="slm", success=1.0, failure=0.0,
        selection=(0.9, 0.4), org_calls=0, gamma=1.0,
    )  # fmt: skip
    before = await store.posteriors.read("acme", "qa")
    await refit_now(store)
    moved = (await store.posteriors.read("acme", "qa"))["v/small"].predicted_sum
    assert moved != pytest.approx(before["v/small"].predicted_sum, rel=0.01)
    assert await roll_back(store, "acme") is None
    assert await store.artifacts.live("acme", KIND) is None
    after = await store.posteriors.read("acme", "qa")
    assert after["v/small"].predicted_sum == pytest.approx(before["v/small"].predicted_sum, rel=1e-12)
    with pytest.raises(NotFound):
        await roll_back(store, "acme")


@pytest.mark.slow
async def test_a_process_that_dies_between_fit_and_going_live_changes_nothing_that_serves(
    store, log, monkeypatch
):
    await write(store, log)
    await refit_now(store)
    live = await store.artifacts.live("acme", KIND)

    async def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(store.artifacts, "reject", die)
    with pytest.raises(KeyboardInterrupt):
        await refit_now(store)
    monkeypatch.undo()
    assert await store.artifacts.live("acme", KIND) == live
    assert (await store.audit.verify("acme")).total_records == 1
    assert (await refit_now(store)).version == 3
    assert [one.status for one in await store.artifacts.list("acme", KIND)] == [
        "live",
        "rejected",
        "rejected",
    ]


async def test_a_dry_run_writes_nothing(store, log):
    await write(store, log)
    found = await refit_now(store, dry_run=True)
    assert (found.decision, found.version) == ("live", None)
    assert await store.artifacts.list("acme", KIND) == []
    assert await store.audit.tail("acme", 1) == []


async def test_too_few_calls_teach_nothing_and_another_orgs_calls_do_not_count(store, log):
    await write(store, log[:60])
    await write(store, [replace(call, org="umbrella") for call in log])
    found = await refit_now(store)
    assert (found.decision, found.version, found.metrics["answers"]) == ("too few calls", None, 60)
    assert await store.artifacts.list("acme", KIND) == []


async def test_a_damaged_live_version_loses_against_what_really_serves(store, log):
    await write(store, log)
    broken = await store.artifacts.add_candidate("acme", KIND, "{", {})
    await store.artifacts.go_live(broken, {}, {})
    found = await refit_now(store)
    assert (found.decision, found.version) == ("live", 2)


def test_predictions_are_restated_by_cell_and_by_model(log):
    found = read(log)
    fitted, bundled = fit(found.seen, 100.0), start(found.seen)
    ratios = restated(fitted, bundled, found)
    assert ratios.keys() == {
        (cell, model_id) for cell in ("qa", "code", "*") for model_id in ("v/small", "v/large")
    }
    mine = found.seen.model == found.seen.models.index("v/small")
    whole = fitted.predict(found.seen)[mine].mean() / bundled.predict(found.seen)[mine].mean()
    assert ratios["*", "v/small"] == pytest.approx(whole, abs=1e-5)
