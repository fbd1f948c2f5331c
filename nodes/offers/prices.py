"""What cost, time and a judgement are worth for one request: shared by the nodes that choose."""

from ...routing.belief.judge_table import JudgeTable
from ...routing.plan.cascade import PlanPrices
from ...routing.plan.policy import Policy
from ...routing.plan.weights import latency_price, quality_price
from ...state.types import CascadeState
from ..services import Services
from .budgets import NO_PACES, Paces, price_multiplier

JUDGE_PROMPT_TOKENS = 250
"""Tokens of the judge's instructions, beside the case itself."""
JUDGE_ANSWER_TOKENS = 60


def reference_cost_nusd(state: CascadeState, services: Services) -> int:
    """Return what the reference frontier model would cost for this request, nano-dollars, at least 1."""
    return max(1, services.reference_for(state["router"]).expected_cost_nusd(state["prompt_tokens"]))


def judge_table(state: CascadeState, services: Services) -> JudgeTable | None:
    """Return the org's table of the judge asked first; None when nobody can judge."""
    return None if services.judge is None else table_of(state, services, None)


def table_of(state: CascadeState, services: Services, judge_model: str | None) -> JudgeTable:
    """Return the org's table of one judge, of the one asked first for None."""
    if judge_model is None and services.judge is not None:
        judge_model = services.judge.specs[0].model_id
    return services.judge_book.table(state["org"], judge_model, services.judge_table)


async def refresh_tables(state: CascadeState, services: Services) -> None:
    """Read the org's labels again where those in memory are old; hardly ever waits."""
    await services.judge_book.refresh(state["org"], services.store, services.judge_table, services.clock_s())


def judge_cost_nusd(state: CascadeState, services: Services) -> int:
    """Return the expected cost of one judgement: the question and a typical answer read, a short verdict written."""
    if services.judge is None:
        return 0
    answer_tokens = services.reference_for(state["router"]).expected_output_tokens
    read = state["prompt_tokens"] + answer_tokens + JUDGE_PROMPT_TOKENS
    judge = services.judge.specs[0].priced_at(services.now())
    return judge.expected_cost_nusd(read, JUDGE_ANSWER_TOKENS)


def plan_prices(state: CascadeState, services: Services, paces: Paces = NO_PACES) -> PlanPrices:
    """Return the prices of the plan from the caller's weights and quality bar, and the pace of the org's budgets."""
    weights = state["optimize_for"]
    return PlanPrices(
        quality_price=quality_price(weights) * price_multiplier(paces),
        latency_price=latency_price(weights),
        judge_cost=judge_cost_nusd(state, services) / reference_cost_nusd(state, services),
        quality_bar=Policy.parse(state["policy"]).quality_bar,
    )
