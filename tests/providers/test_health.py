from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from x25.providers.health import HALF_LIFE_S, TRUST_REQUESTS, Health, HealthBook
from x25.providers.registry import load_registry

FOLDER = Path(__file__).parents[2] / "simulator" / "models"
SPEC = load_registry(FOLDER).get("sim/medium-3")
NAME = SPEC.deployments[0].name


def after(outcomes, at_s=0.0):
    """Return the health after requests, one a second; None is a failure."""
    health = Health(at_s=at_s)
    for second, latency_ms in enumerate(outcomes):
        health = health.after(latency_ms, at_s + second)
    return health


def test_who_was_never_asked_is_taken_to_be_well():
    book = HealthBook()
    assert book.outlook(SPEC, 0.0).success_prob == 1.0
    assert book.outlook(SPEC, 0.0).latency_ms == SPEC.expected_latency_ms


def test_without_a_failure_the_success_is_certain():
    assert after([40.0] * 30).success_prob == 1.0


def test_one_failure_is_no_verdict():
    assert after([None]).success_prob == pytest.approx(TRUST_REQUESTS / (TRUST_REQUESTS + 1))


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.6])
def test_the_estimate_comes_near_the_true_rate_of_success(rate):
    rng = np.random.default_rng(5)
    found = [
        after([None if rng.random() < rate else 40.0 for _ in range(200)]).success_prob for _ in range(20)
    ]
    assert np.mean(found) == pytest.approx(1.0 - rate, abs=0.08)


def test_the_estimate_falls_with_the_rate_of_failures():
    found = [
        after([None if i % 20 < failing else 40.0 for i in range(80)]).success_prob for failing in range(20)
    ]
    assert found == sorted(found, reverse=True)


def test_a_provider_left_alone_is_forgiven_by_and_by():
    ill = after([None] * 20)
    later = [ill.at(20 + minutes * 60).success_prob for minutes in (0, 5, 20, 60)]
    assert later == sorted(later)
    assert later[-1] > 0.95
    assert ill.at(19 + HALF_LIFE_S).failed == pytest.approx(ill.failed / 2)


def test_a_clock_that_stands_still_forgets_nothing():
    ill = after([None] * 3)
    assert ill.at(ill.at_s - 5.0) == ill


def test_slow_answers_raise_the_latency_to_expect_and_quick_ones_do_not_lower_it():
    assert after([400.0] * 50).latency_ms(100.0) > 300.0
    assert after([5.0] * 50).latency_ms(100.0) == 100.0
    assert after([None] * 50).latency_ms(100.0) == 100.0


def test_a_model_answers_when_any_of_its_deployments_does():
    first, second = SPEC.deployments[0], replace(SPEC.deployments[0], name="second")
    both = replace(SPEC, deployments=(first, second))
    book = HealthBook()
    for _ in range(20):
        book.note(SPEC.model_id, NAME, None, 0.0)
    alone = book.outlook(both, 0.0).success_prob
    book.note(SPEC.model_id, "second", 40.0, 0.0)
    assert alone < 0.3
    assert book.outlook(both, 0.0).success_prob == 1.0


def test_models_are_kept_apart():
    book = HealthBook()
    book.note("other/model", NAME, None, 0.0)
    assert book.outlook(SPEC, 0.0).success_prob == 1.0


def test_what_one_orgs_requests_do_lowers_the_outlook_for_that_org():
    book = HealthBook()
    for _ in range(50):
        book.note(SPEC.model_id, NAME, None, 0.0, "poison")
    assert book.outlook(SPEC, 0.0, "poison").success_prob < 0.15
    assert book.outlook(SPEC, 0.0, "other").success_prob == pytest.approx(5 / 6)
    assert book.outlook(SPEC, 0.0).success_prob < 0.15


def test_what_fails_several_orgs_lowers_it_for_all():
    book = HealthBook()
    for number in range(40):
        book.note(SPEC.model_id, NAME, None, 0.0, f"org-{number % 2}")
    assert book.outlook(SPEC, 0.0, "third").success_prob < 0.2


def test_one_org_alone_sees_what_happens_to_it():
    rng = np.random.default_rng(3)
    book, health = HealthBook(), Health()
    for _ in range(100):
        latency_ms = None if rng.random() < 0.3 else 40.0
        book.note(SPEC.model_id, NAME, latency_ms, 0.0, "only")
        health = health.after(latency_ms, 0.0)
    assert book.outlook(SPEC, 0.0, "only").success_prob == pytest.approx(health.success_prob, abs=0.06)


def test_orgs_take_no_more_memory_than_a_bound():
    book = HealthBook(most_own=10)
    for number in range(100):
        book.note(SPEC.model_id, NAME, None, 0.0, f"org-{number}")
    assert len(book._own) == 10
