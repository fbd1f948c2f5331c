from dataclasses import replace
from datetime import UTC, datetime

import pytest

from x25.graph.bootstrap import open_services
from x25.graph.own_models import MOST_MODELS, Registration, check_address, register, unregister
from x25.graph.settings import load_settings
from x25.state.errors import Forbidden, InvalidRequest, NotFound
from x25.state.own_models import OwnModel

LOCAL = Registration("own/m", "http://127.0.0.1:9/v1")


@pytest.fixture
async def services(settings):
    async with open_services(settings, {"OWN_MODEL_KEY_A": "k"}) as opened:
        yield opened


@pytest.fixture
def served(simulator) -> Registration:
    """A model that answers: the simulator's largest, under a name of the org's."""
    return Registration("own/m", simulator.url.rstrip("/"), name="sim/xlarge-6")


@pytest.mark.parametrize(
    "url",
    ["ftp://h/v1", "http://", "h:1/v1", "", "http://u:p@h/v1", "http://h/v1?x=1", "http://h/v1#x", "http://h:99999/v1",
     "http://169.254.169.254/latest", "http://[fe80::1]/v1", "http://[::ffff:169.254.169.254]/v1", "http://0.0.0.0/v1", "http://224.0.0.1/v1"],
)  # fmt: skip
def test_what_is_no_address_of_a_model_is_refused_to_everybody(settings, url):
    with pytest.raises(InvalidRequest, match="base_url"):
        check_address(replace(LOCAL, base_url=url), settings, is_operator=True)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/v1", "http://10.0.0.5/v1", "https://models.example.com/v1"]
)
def test_an_orgs_own_key_may_name_no_address_that_the_operator_did_not_list(settings, url):
    wanted = replace(LOCAL, base_url=url)
    check_address(wanted, settings, is_operator=True)
    with pytest.raises(Forbidden, match="X25_OWN_MODEL_HOSTS"):
        check_address(wanted, settings, is_operator=False)


def test_listed_hosts_are_open_to_an_orgs_own_key_with_its_own_key_variables_alone(tmp_path):
    settings = load_settings({}, data_dir=tmp_path, own_model_hosts="models.example.com, 10.0.0.5:8000")
    for url in (
        "https://models.example.com/v1",
        "https://MODELS.example.com:444/v1",
        "http://10.0.0.5:8000/v1",
    ):
        check_address(replace(LOCAL, base_url=url), settings, is_operator=False)
    for url in ("http://10.0.0.5/v1", "http://10.0.0.5:9/v1", "http://models.example.com.evil.example/v1"):
        with pytest.raises(Forbidden):
            check_address(replace(LOCAL, base_url=url), settings, is_operator=False)
    mine = replace(LOCAL, base_url="https://models.example.com/v1", key_env="OWN_MODEL_KEY_A")
    check_address(mine, settings, is_operator=False)
    with pytest.raises(Forbidden, match="OWN_MODEL_KEY_"):
        check_address(replace(mine, key_env="OPENROUTER_API_KEY"), settings, is_operator=False)


async def test_a_model_that_answers_is_in_its_orgs_pool_alone_and_leaves_it_again(services, served):
    spec, is_new = await register(services, "acme", served)
    assert (spec.tier, is_new) == ("slm", True)
    assert "own/m" in services.models_of("acme")
    assert "own/m" in services.routers_of("acme")
    assert "own/m" not in services.models_of("other")
    assert "own/m" not in services.models
    assert not (await register(services, "acme", served))[1]
    with pytest.raises(NotFound):
        await unregister(services, "other", "own/m")
    await unregister(services, "acme", "own/m")
    assert services.models_of("acme") is services.models


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base_url": "http://127.0.0.1:9/v1"}, "did not answer"),
        ({"name": "sim/no-such"}, "did not answer .*sim/no-such"),
        ({"model_id": "sim/tiny-1"}, "every org has"),
        ({"model_id": "auto"}, "every org has"),
        ({"key_env": "NOT_SET_HERE"}, "set NOT_SET_HERE"),
        ({"context_tokens": -1}, "context_tokens"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_the_reason_and_changes_nothing(
    services, served, changes, said
):
    with pytest.raises(InvalidRequest, match=said):
        await register(services, "acme", replace(served, **changes))
    assert await services.store.own_models.all() == []


async def test_an_org_has_so_many_models_and_no_more(services, served):
    now = datetime.now(UTC)
    for number in range(MOST_MODELS):
        wanted = replace(served, model_id=f"own/{number}")
        await services.store.own_models.add(OwnModel("acme", wanted.model_id, wanted.content("acme"), now))
    await services.own_models.refresh(services.store)
    with pytest.raises(InvalidRequest, match="20 own models already"):
        await register(services, "acme", served)
    assert not (await register(services, "acme", replace(served, model_id="own/3")))[1]


async def test_a_model_registered_before_is_there_after_a_restart(settings, served):
    async with open_services(settings, {}) as first:
        await register(first, "acme", replace(served, held_out_quality=0.8))
    async with open_services(settings, {}) as second:
        spec = second.models_of("acme")["own/m"]
    assert (spec.measured_quality, spec.measured_at) == (0.8, 0.0)
