from dataclasses import FrozenInstanceError
from datetime import UTC

import pytest


def test_a_spec_is_found_by_model_id_and_an_unknown_one_is_not(services):
    assert services.spec("sim/tiny-1").tier == "slm"
    with pytest.raises(KeyError):
        services.spec("sim/judge-1")


def test_the_bundle_cannot_be_changed(services):
    with pytest.raises(FrozenInstanceError):
        services.judge = None


def test_time_is_monotonic_seconds_and_utc(services):
    assert services.clock_s() <= services.clock_s()
    assert services.now().tzinfo is UTC
