import json
import logging

import numpy as np
import pytest

from x25.graph.estimators import load_difficulty
from x25.nodes.org.estimators import LOOK_EVERY_S, OrgModels
from x25.routing.belief.org_model import KIND, Line, OrgModel, base_id
from x25.state.store import open_store


@pytest.fixture(scope="module")
def difficulty():
    return load_difficulty()


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


def org_model(difficulty, shift=1.0):
    u = np.zeros(len(difficulty.head.coef), dtype=np.float32)
    return OrgModel(base_id(difficulty), shift, u, {"sim/tiny-1": Line(-1.0, 0.5)})


async def put_live(store, model, org="acme"):
    parameters = model if isinstance(model, str) else json.dumps(model.to_dict())
    await store.artifacts.go_live(await store.artifacts.add_candidate(org, KIND, parameters, {}), {}, {})


async def test_an_org_without_calls_of_its_own_has_no_model(store, difficulty):
    assert await OrgModels().model_of(store, "acme", difficulty, 0.0) is None


async def test_a_new_version_serves_within_seconds_and_a_rollback_too(store, difficulty):
    models = OrgModels()
    assert await models.model_of(store, "acme", difficulty, 0.0) is None
    await put_live(store, org_model(difficulty))
    assert await models.model_of(store, "acme", difficulty, LOOK_EVERY_S / 2) is None
    assert (await models.model_of(store, "acme", difficulty, LOOK_EVERY_S)).shift == 1.0
    await store.artifacts.roll_back("acme", KIND, {}, {})
    assert await models.model_of(store, "acme", difficulty, 2 * LOOK_EVERY_S) is None


async def test_between_looks_the_store_is_not_asked(store, difficulty):
    models = OrgModels()
    await put_live(store, org_model(difficulty))
    served = await models.model_of(store, "acme", difficulty, 0.0)
    await store.close()
    assert await models.model_of(store, "acme", difficulty, LOOK_EVERY_S / 2) is served


async def test_a_store_that_fails_leaves_what_is_known_serving(store, difficulty, caplog):
    models = OrgModels()
    await put_live(store, org_model(difficulty))
    served = await models.model_of(store, "acme", difficulty, 0.0)
    await store.close()
    assert await models.model_of(store, "acme", difficulty, 2 * LOOK_EVERY_S) is served
    assert "could not be looked for" in caplog.text


async def test_two_orgs_have_two_models(store, difficulty):
    models = OrgModels()
    await put_live(store, org_model(difficulty, 1.0), "acme")
    await put_live(store, org_model(difficulty, -1.0), "umbrella")
    shifts = [(await models.model_of(store, org, difficulty, 0.0)).shift for org in ("acme", "umbrella")]
    assert shifts == [1.0, -1.0]
    assert await models.model_of(store, "initech", difficulty, 0.0) is None


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", "{}", '{"u_f4": 3}', '{"base": "x", "shift": 1}'])
async def test_a_damaged_version_is_logged_once_and_the_bundled_one_serves(store, difficulty, caplog, damage):
    models = OrgModels()
    await put_live(store, damage)
    with caplog.at_level(logging.WARNING):
        for now_s in (0.0, 0.1, LOOK_EVERY_S, 2 * LOOK_EVERY_S):
            assert await models.model_of(store, "acme", difficulty, now_s) is None
    assert caplog.text.count("cannot serve") == 1


async def test_a_version_over_another_bundled_model_does_not_serve(store, difficulty, caplog):
    model = org_model(difficulty)
    await put_live(store, OrgModel("0" * 16, model.shift, model.u, model.levels))
    assert await OrgModels().model_of(store, "acme", difficulty, 0.0) is None
    assert "fit it again" in caplog.text


async def test_memory_holds_the_orgs_asked_for_last(store, difficulty):
    models = OrgModels(most_orgs=3)
    for number in range(10):
        await models.model_of(store, f"org-{number}", difficulty, 0.0)
    assert len(models) == 3


async def test_a_call_is_predicted_by_its_orgs_own_model(walk, services):
    before = (await walk("estimate_difficulty", org="acme")).estimate
    await put_live(services.store, org_model(services.difficulty))
    services.org_models._org_to_known.clear()
    after = (await walk("estimate_difficulty", org="acme")).estimate
    assert after.value == pytest.approx(before.value + 1.0, abs=2e-4)
    line = 1.0 / (1.0 + np.exp(1.0 + 0.5 * after.value))
    assert after.completion_probs["sim/tiny-1"] == pytest.approx(line, abs=1e-4)
    others = set(before.completion_probs) - {"sim/tiny-1"}
    assert all(after.completion_probs[name] < before.completion_probs[name] for name in others)
    elsewhere = (await walk("estimate_difficulty", org="umbrella")).estimate
    assert elsewhere.completion_probs == before.completion_probs
