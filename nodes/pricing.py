"""What cost, time and a judgement are worth for one request: shared by the nodes that choose."""

from ..routing.cascade import PlanPrices
from ..routing.judge_table import JudgeTable
from ..routing.policy import Policy
from ..routing.weights import latency_price, quality_price
from ..state.types import CascadeState
from .services import Services

JUDGE_PROMPT_TOKENS = 250
"""Tokens of the judge's instructions, beside the case itself."""
JUDGE_ANSWER_TOKENS = 60


def reference_cost_nusd(state: CascadeState, services: Services) -> int:
    """Return what the reference frontier model would cost for this request, nano-dollars, at least 1."""
    return max(1, services.reference_for(state["router"]).expected_cost_nusd(state["prompt_tokens"]))


def judge_table(services: Services) -> JudgeTable | None:
    """Return the table of the judge in use; None when nobody can judge."""
    return services.judge_table if services.judge is not None else None


def judge_cost_nusd(state: CascadeState, services: Services) -> int:
    """Return the expected cost of one judgement: the question and a typical answer read, a short verdict written."""
    if services.judge is None:
        return 0
    answer_tokens = services.reference_for(state["router"]).expected_output_tokens
    read = state["prompt_tokens"] + answer_tokens + JUDGE_PROMPT_TOKENS
    return services.judge.specs[0].expected_cost_nusd(read, JUDGE_ANSWER_TOKENS)


def plan_prices(state: CascadeState, services: Services) -> PlanPrices:
    """Return the prices of the plan from the caller's weights and quality bar."""
    weights = state["optimize_for"]
    return PlanPrices(
        quality_price=quality_price(weights),
        latency_price=latency_price(weights),
        judge_cost=judge_cost_nusd(state, services) / reference_cost_nusd(state, services),
        quality_bar=Policy.parse(state["policy"]).quality_bar,
    )
