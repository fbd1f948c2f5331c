from copy import copy
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from x25.nodes.offers.judges import JUDGE_PROMPT_TOKENS, judge_cost_nusd, permitted_judge
from x25.providers.windows import PriceWindow
from x25.routing.plan.policy import Policy


@pytest.fixture
def two_judges(services):
    """The services with a second judge, of another provider."""
    judge = copy(services.judge)
    near = replace(judge.specs[0], model_id="sim/judge-near", provider="sim-near")
    judge.specs = (judge.specs[0], near)
    return replace(services, judge=judge)


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ({}, ["sim/judge-1", "sim/judge-near"]),
        ({"allowed_providers": ["sim-near"]}, ["sim/judge-near"]),
        ({"allowed_providers": ["sim-a"]}, []),
        ({"max_cost_per_token": 1e-9}, []),
    ],
)
def test_a_policy_leaves_the_judges_it_lets_read(two_judges, policy, kept):
    judge, removed = permitted_judge(Policy.parse(policy), two_judges)
    assert [spec.model_id for spec in (() if judge is None else judge.specs)] == kept
    assert removed.keys() == {"sim/judge-1", "sim/judge-near"} - {*kept}
    assert all(why.startswith(tuple(policy)) for why in removed.values())


def test_without_a_judge_nobody_is_removed(services):
    assert permitted_judge(Policy.parse({}), replace(services, judge=None)) == (None, {})


def test_a_judge_is_bound_by_what_it_costs_at_this_hour(services):
    spec = services.judge.specs[0]
    judge = copy(services.judge)
    judge.specs = (
        replace(
            spec, price_windows=(PriceWindow(0, 60, "UTC", output_usd_per_mtok=spec.output_usd_per_mtok * 9),)
        ),
    )
    policy = Policy.parse({"max_cost_per_token": 1e-6})
    for hour, is_permitted in ((0, False), (1, True)):
        at = replace(
            services, judge=judge, now=lambda hour=hour: datetime(2026, 11, 20, hour, 30, tzinfo=UTC)
        )
        assert (permitted_judge(policy, at)[0] is not None) is is_permitted


def test_a_judgement_reads_question_and_answer_and_writes_a_short_verdict(services):
    spec, yardstick = services.judge.specs[0], services.reference
    read = 100 + yardstick.expected_output_tokens + JUDGE_PROMPT_TOKENS
    cost = judge_cost_nusd(100, yardstick, services.judge, services)
    assert read * spec.input_usd_per_mtok * 1_000 < cost < (read + 1_000) * spec.output_usd_per_mtok * 1_000
