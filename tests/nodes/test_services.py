from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime

import pytest

from x25.providers.windows import PriceWindow
from x25.routing.plan.configs import RouterConfig


def test_a_spec_is_found_by_model_id_and_an_unknown_one_is_not(services):
    assert services.spec("sim/tiny-1").tier == "slm"
    with pytest.raises(KeyError):
        services.spec("sim/judge-1")


def test_a_plan_is_priced_by_what_its_router_chooses_among(services):
    pair = RouterConfig(name="pair", models=("sim/tiny-1", "sim/medium-3"))
    bundle = replace(services, routers={**services.routers, "pair": pair})
    assert bundle.yardstick_for("auto") is bundle.reference
    assert bundle.yardstick_for("pair").model_id == "sim/tiny-1"
    dear = replace(pair, models=("sim/tiny-1", "sim/xlarge-6"))
    assert replace(bundle, routers={"pair": dear}).yardstick_for("pair").model_id == "sim/xlarge-6"


def test_a_plan_is_not_priced_by_a_model_that_nobody_can_be_sent_to(services):
    cheap = {name: spec for name, spec in services.models.items() if spec.tier != "frontier"}
    assert services.reference.model_id not in cheap
    assert replace(services, models=cheap).yardstick_for("auto").model_id in cheap


def test_a_smaller_pool_is_known_by_its_dearest_model(services):
    pair = RouterConfig(name="pair", models=("sim/tiny-1", "sim/medium-3", "sim/tiny-1", "acme/unreachable"))
    everything = RouterConfig(name="everything", models=tuple(services.models))
    bundle = replace(services, routers={"pair": pair, "everything": everything})
    assert bundle.dearest_for("pair").model_id == "sim/medium-3"
    assert [spec.model_id for spec in bundle.pool_of("pair")] == ["sim/tiny-1", "sim/medium-3"]
    assert (bundle.dearest_for("everything"), bundle.pool_of("everything")) == (None, ())
    assert services.dearest_for("auto") is None


def test_the_bundle_cannot_be_changed(services):
    with pytest.raises(FrozenInstanceError):
        services.judge = None


def test_time_is_monotonic_seconds_and_utc(services):
    assert services.clock_s() <= services.clock_s()
    assert services.now().tzinfo is UTC


def test_specs_and_the_reference_have_the_prices_of_this_moment(services):
    spec = services.spec("sim/xlarge-6")
    peak = PriceWindow(0, 60, "UTC", output_usd_per_mtok=spec.output_usd_per_mtok * 3)
    alone = RouterConfig(name="alone", models=(spec.model_id,))
    bundle = replace(
        services,
        models={spec.model_id: replace(spec, price_windows=(peak,))},
        routers={"alone": alone},
        now=lambda: datetime(2026, 11, 20, 0, 59, tzinfo=UTC),
    )
    assert bundle.spec(spec.model_id).output_usd_per_mtok == 3 * spec.output_usd_per_mtok
    assert bundle.yardstick_for("alone").output_usd_per_mtok == 3 * spec.output_usd_per_mtok
    later = replace(bundle, now=lambda: datetime(2026, 11, 20, 1, tzinfo=UTC))
    assert later.spec(spec.model_id).output_usd_per_mtok == spec.output_usd_per_mtok


def test_the_bundle_is_written_out_in_a_line(services):
    """Tasks that return it are: asyncio does so for each."""
    assert len(repr(services)) < 300
    assert "sim/tiny-1" in repr(services)


def test_an_orgs_own_models_are_among_its_models_and_routers_and_in_nobody_elses(services):
    spec = replace(services.models["sim/tiny-1"], model_id="own/m", owner="acme")
    services.own_models._org_to_models["acme"] = {"own/m": spec}
    assert services.models_of("acme").keys() == {*services.models, "own/m"}
    assert services.routers_of("acme")["own/m"].models == ("own/m",)
    assert services.models_of("other") is services.models
    assert services.routers_of("other") is services.routers
    assert services.yardstick_for("own/m", "acme").model_id == "own/m"
    assert services.dearest_for("own/m", "acme").model_id == "own/m"
    assert services.yardstick_for("auto", "acme").model_id == services.yardstick_for("auto").model_id
