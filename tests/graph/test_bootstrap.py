import logging

import pytest
import yaml
from langchain_core.language_models import FakeListChatModel

from x25.graph.bootstrap import (
    JUDGES_FILE,
    NO_JUDGE,
    open_services,
    real_pool,
    services_source,
)
from x25.graph.routers import load_routers
from x25.graph.run import open_cascade
from x25.providers.keyring import Keyring
from x25.routing.belief.thompson import UNJUDGED_LEARNER
from x25.state.errors import CallFailed, ConfigError, StoreError

KEY = {"OPENROUTER_API_KEY": "sk-test"}


async def test_without_a_key_simulated_models_answer_and_a_warning_says_so(settings, caplog):
    with caplog.at_level(logging.WARNING):
        async with open_services(settings.model_copy(update={"upstream": "auto"}), {}) as services:
            assert all(spec.simulated for spec in services.models.values())
    assert "no provider key is set: answers come from simulated models" in caplog.text


async def test_a_simulator_is_started_and_stopped_where_none_is_given(settings):
    async with open_cascade(settings.model_copy(update={"simulator_url": ""})) as cascade:
        url = cascade.services.reference.deployments[0].base_url
        assert url != settings.simulator_url
        assert (await cascade.route({"prompt": "hi", "policy": {"max_tier": "slm"}}))["simulated"]


async def test_with_a_key_real_models_are_offered_and_simulated_ones_are_not(settings):
    async with open_services(settings.model_copy(update={"upstream": "auto"}), KEY) as services:
        assert len(services.models) > 5
        assert not any(spec.simulated for spec in services.models.values())
        assert services.reference.tier == "frontier"
        assert {spec.tier for spec in services.models.values()} == {"slm", "mid", "frontier"}


async def test_real_judges_come_from_the_registrys_list_in_its_order(settings):
    names = yaml.safe_load(JUDGES_FILE.read_text())["judges"]
    pool = real_pool(settings, Keyring(KEY))
    opened = {spec.model_id for spec in pool.models}
    assert [spec.model_id for spec in pool.judges] == [name for name in names if name in opened]


async def test_a_judge_can_be_named_or_left_out(settings):
    chosen = real_pool(settings, Keyring(KEY)).models[0].model_id
    named = real_pool(settings.model_copy(update={"judge": chosen}), Keyring(KEY))
    assert [spec.model_id for spec in named.judges] == [chosen]
    assert real_pool(settings.model_copy(update={"judge": "none"}), Keyring(KEY)).judges == ()
    async with open_services(settings.model_copy(update={"judge": "none"}), {}) as services:
        assert services.judge is None


async def test_real_models_without_a_key_are_refused(settings):
    with pytest.raises(ConfigError, match="OPENROUTER_API_KEY"):
        async with open_services(settings.model_copy(update={"upstream": "real"}), {}):
            pass


async def test_a_key_does_not_stop_the_simulator_from_being_asked_for(settings):
    async with open_services(settings, KEY) as services:
        assert all(spec.simulated for spec in services.models.values())


async def test_a_model_file_becomes_routable(settings, model_folder):
    real = {"model_id": "acme/own", "provider": "acme", "simulated": False, "simulation": None,
            "deployments": [{"name": "own", "base_url": "http://127.0.0.1:9/v1", "key_env": []}]}  # fmt: skip
    changed = settings.model_copy(update={"upstream": "real", "models_dir": str(model_folder(real))})
    async with open_services(changed, {}) as services:
        assert list(services.models) == ["acme/own"]


async def test_a_folder_of_simulated_models_replaces_the_bundled_ones(open_gateway, model_folder):
    folder = str(model_folder({"tier": "slm"}, {"model_id": "sim/large-5", "tier": "frontier"}))
    cascade = await open_gateway(models_dir=folder)
    assert set(cascade.services.models) == {"sim/tiny-1", "sim/large-5"}
    reply = await cascade.route({"prompt": "hi"})
    assert reply["model_used"] in ("sim/tiny-1", "sim/large-5")


async def test_a_model_is_asked_directly_by_its_id_and_by_its_aliases(open_gateway, model_folder, fault):
    folder = str(
        model_folder({"tier": "slm", "aliases": ["tiny"]}, {"model_id": "sim/large-5", "tier": "frontier"})
    )
    cascade = await open_gateway(models_dir=folder)
    for name in ("sim/tiny-1", "tiny"):
        for number in range(4):
            reply = await cascade.route({"prompt": f"What is {number} + 1?", "router": name})
            assert (reply["model_used"], reply["propensity"], reply["judge_cost_usd"]) == (
                "sim/tiny-1",
                1.0,
                0.0,
            )
    fault("500", "sim/tiny-1")
    with pytest.raises(CallFailed) as caught:
        await cascade.route({"prompt": "hi", "router": "tiny"})
    assert {attempt["model_id"] for attempt in caught.value.attempts} == {"sim/tiny-1"}
    assert await cascade.services.store.orgs.call_count("default") == 9


FOUR_KEYS = """
model_id: acme/{tier}
base_url: http://127.0.0.1:9/v1
key_env: ACME_KEY
tier: {tier}
prices: {{input_usd_per_mtok: {price}, output_usd_per_mtok: {price}}}
"""


@pytest.fixture
def own_models(settings, tmp_path):
    """Settings of somebody with three models of their own, four keys and a key's name each, and no other."""
    for tier, price in {"slm": 0.2, "mid": 1, "frontier": 10}.items():
        folder = tmp_path / "own"
        folder.mkdir(exist_ok=True)
        (folder / f"{tier}.yaml").write_text(FOUR_KEYS.format(tier=tier, price=price))
    return settings.model_copy(update={"models_dir": str(folder), "upstream": "auto"})


async def test_simulated_models_answer_while_no_key_opens_own_ones_and_the_key_is_named(own_models, caplog):
    async with open_services(own_models, {}) as services:
        assert all(spec.simulated for spec in services.models.values())
    assert "acme/slm: set ACME_KEY" in caplog.text


async def test_without_a_judge_it_is_said_at_start_and_expected_values_decide(own_models, caplog):
    async with open_services(own_models, {"ACME_KEY": "k"}) as services:
        assert list(services.models) == ["acme/frontier", "acme/mid", "acme/slm"]
        assert (services.judge, services.learner) == (None, UNJUDGED_LEARNER)
    assert NO_JUDGE in caplog.text


async def test_a_judge_that_cannot_be_reached_is_refused_by_name(own_models):
    named = own_models.model_copy(update={"judge": "judge/gpt-5.6-luna"})
    with pytest.raises(
        ConfigError, match=r"X25_JUDGE: judge/gpt-5\.6-luna cannot be reached: set OPENAI_API_KEY"
    ):
        real_pool(named, Keyring({"ACME_KEY": "k"}))


async def test_the_reference_is_a_frontier_model_though_none_can_be_asked(settings):
    pool = real_pool(settings, Keyring({"X25_OLLAMA": "1"}))
    assert "frontier" not in {spec.tier for spec in pool.models}
    assert (pool.reference.tier, pool.reference.simulated) == ("frontier", False)

    async def look(services):
        return services.reference.tier, services.yardstick_for("auto").tier

    models = {"slm": FakeListChatModel(responses=["hello"])}
    assert await services_source(models).run(look) == ("frontier", "slm")


async def test_a_reference_model_can_be_named(settings):
    async with open_services(settings.model_copy(update={"reference_model": "sim/medium-3"}), {}) as services:
        assert services.reference.model_id == "sim/medium-3"
    async with open_services(settings, {}) as services:
        assert services.reference.model_id == "sim/large-5"


def test_own_routers_lie_on_top_of_the_bundled_ones(tmp_path):
    (tmp_path / "mine.yaml").write_text("name: mine\nmodels: [sim/tiny-1]\n")
    (tmp_path / "auto.yml").write_text("name: auto\nmax_escalations: 1\n")
    routers = load_routers(tmp_path)
    assert routers.keys() == load_routers().keys() | {"mine"}
    assert routers["auto"].max_escalations == 1
    assert load_routers()["auto"].max_escalations == 2


def test_a_missing_routers_folder_or_a_wrong_file_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match="absent does not exist"):
        load_routers(tmp_path / "absent")
    (tmp_path / "bad.yaml").write_text("name: bad\nstrategie: plan\n")
    with pytest.raises(ConfigError, match=r"bad\.yaml: unknown key 'strategie'; did you mean 'strategy'"):
        load_routers(tmp_path)


def test_a_routers_file_that_is_not_yaml_is_refused_by_name(tmp_path):
    (tmp_path / "broken.yaml").write_text("name: [")
    with pytest.raises(ConfigError, match=r"broken\.yaml"):
        load_routers(tmp_path)


async def test_a_router_narrows_the_candidates(open_gateway, tmp_path):
    (tmp_path / "pair.yaml").write_text("name: pair\nmodels: [sim/tiny-1, sim/large-5]\n")
    cascade = await open_gateway(routers_dir=str(tmp_path))
    reply = await cascade.route({"prompt": "hi", "router": "pair"})
    assert {one["model_id"] for one in reply["explain"]["candidates"]} == {"sim/tiny-1", "sim/large-5"}


async def test_an_own_router_that_names_a_model_nobody_can_ask_is_warned_of(open_gateway, tmp_path, caplog):
    (tmp_path / "ours.yaml").write_text("name: ours\nmodels: [sim/tiny-1, sim/tiny-9]\n")
    (tmp_path / "whole.yaml").write_text("name: whole\nmodels: [sim/tiny-1]\n")
    await open_gateway(routers_dir=str(tmp_path))
    (told,) = [one.getMessage() for one in caplog.records if "names what cannot be asked" in one.getMessage()]
    assert told.startswith("the router 'ours' names what cannot be asked here: sim/tiny-9 (")


async def test_a_database_that_cannot_be_opened_is_named(settings, tmp_path):
    (tmp_path / "file").write_text("")
    wrong = settings.model_copy(update={"data_dir": tmp_path / "file"})
    with pytest.raises(StoreError, match=r"file/x25\.db"):
        async with open_services(wrong, {}):
            pass


async def test_a_judge_of_another_provider_grades_real_answers(settings):
    async with open_services(settings, {}) as services:
        assert services.judge.order("sim-a")[0].provider == "sim-judge"


def test_services_come_from_services_models_or_a_source_and_nothing_else():
    with pytest.raises(ConfigError, match="got str"):
        services_source("sqlite://")


async def test_an_own_model_without_a_price_is_named_though_others_are_asked(settings, tmp_path, caplog):
    model = {"base_url": "http://localhost:9/v1", "tier": "slm"}
    prices = {"prices": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"model_id": "acme/a", **model, **prices}))
    (tmp_path / "b.yaml").write_text(yaml.safe_dump({"model_id": "acme/b", **model}))
    real = settings.model_copy(update={"upstream": "real", "models_dir": str(tmp_path)})
    async with open_services(real, {}) as services:
        assert list(services.models) == ["acme/a"]
    assert "some of your own models are not asked; acme/b: its price is not known" in caplog.text
