from io import StringIO

import pytest
from rich.console import Console

from x25.bench.growth import CHARACTERS, CURVES, FIGURES, Point, grown, in_own_process, pool, prompt, show


def test_a_pool_has_every_tier_at_many_prices():
    models = pool(300)
    assert len(models) == 300
    assert {tier for tier, _, _ in models.values()} == {"slm", "mid", "frontier"}
    assert len(set(models.values())) == 300


@pytest.mark.parametrize("characters", [100, 1_000, 100_000])
def test_a_prompt_has_its_length_and_is_its_own(characters):
    assert len(prompt(1, characters)) == characters
    assert prompt(1, characters) != prompt(2, characters)


def test_quick_curves_reach_no_further_and_have_two_points():
    for curve in CURVES:
        assert len(curve.quick_sizes) >= 2
        assert max(curve.quick_sizes) <= max(curve.sizes)


def test_growth_is_told_over_all_points_and_over_the_last_two():
    points = [Point(1, 1.0, 2.0, 3.0), Point(10, 1.0, 20.0, 3.0), Point(100, 100.0, 200.0, 3.0)]
    found = grown(points)
    assert found["latency_ms"] == {"all": pytest.approx(1.0), "last": pytest.approx(2.0)}
    assert found["cpu_ms"] == {"all": pytest.approx(1.0), "last": pytest.approx(1.0)}
    assert found["resident_mib"]["all"] == pytest.approx(0.0)


def test_the_table_has_a_line_a_point_and_the_exponents():
    shown = StringIO()
    point = {"size": 1_000, "latency_ms": 4.5, "cpu_ms": 4.0, "resident_mib": 200.0}
    exponents = {name: {"all": 0.25, "last": 1.5} for name in FIGURES}
    show([{"curve": "models", "points": [point], "exponents": exponents}], Console(file=shown, width=110))
    assert "1,000" in shown.getvalue()
    assert shown.getvalue().count("0.25 (last 1.50)") == 3


@pytest.mark.slow
@pytest.mark.parametrize(("curve", "size"), [(curve.name, curve.sizes[1]) for curve in CURVES])
def test_a_point_of_each_curve_is_measured(curve, size):
    point = in_own_process(curve, 500 if curve == CHARACTERS else min(size, 50), calls=3)
    assert point.latency_ms > 0
    assert point.resident_mib > 50
