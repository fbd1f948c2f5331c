from decimal import Decimal

import pytest

from x25.providers.drift import GONE, check_models
from x25.providers.vendor_models import VendorList, VendorModel


@pytest.fixture
def spec(model):
    return model(
        prices={"input_usd_per_mtok": 0.5, "cached_input_usd_per_mtok": 0.05, "output_usd_per_mtok": 2}
    )


def listed(spec, **figures):
    name = spec.deployments[0].upstream_model
    same = {"input_usd_per_mtok": Decimal("0.5"), "output_usd_per_mtok": Decimal(2)}
    return VendorList("http://vendor/v1", (VendorModel(name, **{**same, **figures}), VendorModel("other")))


def drifts(spec, **figures):
    way = spec.deployments[0].name
    found = check_models([spec], way, listed(spec, **figures))
    return [(one.what, one.here, one.there, one.costs_more) for one in found.drifts]


def test_what_agrees_is_no_drift(spec):
    assert drifts(spec) == []
    assert drifts(spec, cached_input_usd_per_mtok=Decimal("0.05"), context_tokens=10**9) == []


@pytest.mark.parametrize(
    ("figures", "drift"),
    [
        ({"input_usd_per_mtok": Decimal("0.6")}, ("input_usd_per_mtok", "0.5", "0.6", True)),
        ({"output_usd_per_mtok": Decimal(1)}, ("output_usd_per_mtok", "2", "1", False)),
        ({"cached_input_usd_per_mtok": Decimal("0.1")}, ("cached_input_usd_per_mtok", "0.05", "0.1", True)),
        ({"audio_input_usd_per_mtok": Decimal(5)}, ("audio_input_usd_per_mtok", "0.5", "5", True)),
        ({"reasoning_usd_per_mtok": Decimal(3)}, ("reasoning_usd_per_mtok", "2", "3", True)),
        ({"usd_per_request": Decimal("0.01")}, ("usd_per_request", None, "0.01", True)),
        ({"context_tokens": 7}, ("context_tokens", None, "7", False)),
    ],
)
def test_each_difference_is_named_with_both_sides(spec, figures, drift):
    ((what, here, there, costs_more),) = drifts(spec, **figures)
    assert (what, there, costs_more) == (drift[0], drift[2], drift[3])
    assert drift[1] is None or here == drift[1]


def test_a_model_that_went_and_one_without_a_price_are_told_apart(spec):
    way = spec.deployments[0].name
    gone = check_models([spec], way, VendorList("http://vendor/v1", ()))
    assert [(one.what, one.costs_more) for one in gone.drifts] == [(GONE, False)]
    found = check_models([spec], way, listed(spec, input_usd_per_mtok=None))
    assert (found.compared, found.unpriced, found.drifts) == (1, (spec.model_id,), ())
    assert check_models([spec], "elsewhere", listed(spec)).compared == 0
