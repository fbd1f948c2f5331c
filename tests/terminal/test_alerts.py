from types import SimpleNamespace

import pytest

from x25.demo.run import SIMULATED_MODELS
from x25.providers.health import HealthBook
from x25.providers.registry import load_registry
from x25.state.queries.periods import Forecast, Totals
from x25.terminal.alerts import bar_in_danger, budget_alert, calls_failing, providers_down
from x25.terminal.figures import Spent


def home(month_end=0):
    return SimpleNamespace(month=Forecast(0, month_end, 0, 0, 3))


@pytest.mark.parametrize(
    ("name", "spent", "month_end", "level"),
    [
        ("day", 79, 999, None), ("day", 80, 0, "warn"), ("day", 100, 0, "bad"), ("month", 10, 101, "warn"),
        ("month", 10, 100, None), ("month", 120, 0, "bad"),
    ],
)  # fmt: skip
def test_a_budget_is_told_of_when_it_is_nearly_spent_or_will_be_passed(name, spent, month_end, level):
    found = budget_alert(Spent(name, spent, 100), home(month_end))
    assert (None if found is None else found.level) == level


@pytest.mark.parametrize(
    ("bar", "believed", "right_prob", "level"),
    [
        (None, 100, 10.0, None), (0.8, 0, 0.0, None), (0.8, 1_000, 830.0, None), (0.8, 100, 83.0, "warn"),
        (0.8, 100, 79.0, "bad"), (0.8, 1, 0.9, None),
    ],
)  # fmt: skip
def test_a_bar_is_in_danger_where_right_answers_may_be_too_few_whatever_their_scores(
    bar, believed, right_prob, level
):
    week = Totals(total_calls=1_000, rated=1_000, quality=500.0, believed=believed, right_prob=right_prob)
    found = bar_in_danger(bar, week)
    assert [one.level for one in found] == ([] if level is None else [level])


def test_a_model_that_fails_is_told_of():
    models = {one.model_id: one for one in load_registry(SIMULATED_MODELS).models if one.role == "chat"}
    health, name = HealthBook(), "sim/tiny-1"
    services = SimpleNamespace(models=models, health=health, clock_s=lambda: 0.0)
    assert providers_down(services) == []
    for _ in range(30):
        health.note(name, models[name].deployments[0].name, None, 0.0)
    (alert,) = providers_down(services)
    assert alert.words.startswith(f"{name} fails")
    assert alert.advice == "Others take its calls."
    services.models = {name: models[name]}
    (alone,) = providers_down(services)
    assert alone.advice == "No other model is left to take its calls."
    assert set(health.seen(name)) == {models[name].deployments[0].name}
    assert health.seen("nobody") == {}


@pytest.mark.parametrize(
    ("today", "week", "level", "words"),
    [
        ((28, 28), (28, 28), "bad", "28 of 28 calls today got no answer"),
        ((100, 6), (900, 6), "warn", "6 of 100 calls today got no answer"),
        ((10, 0), (60, 40), "bad", "40 of 60 calls in the last seven days got no answer"),
        ((10, 2), (60, 2), None, None), ((1_000, 20), (9_000, 90), None, None), ((0, 0), (0, 0), None, None),
    ],
)  # fmt: skip
def test_calls_that_nobody_answered_are_told_of(today, week, level, words):
    seen = [Totals(total_calls=calls, failed=failed) for calls, failed in (today, week)]
    found = calls_failing(SimpleNamespace(today=seen[0], week=seen[1]))
    assert [(one.level, one.words) for one in found] == ([] if level is None else [(level, words)])
