"""Budgets of an org in one call: how they raise the price of a dollar, and whom they leave affordable."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np

from ...routing.plan.pacing import Pace, pace_per_call, pace_per_day
from ...routing.plan.policy import Policy
from ...state.money.budgets import Account, Budget
from ...state.records import Arm, nusd_from_usd, usd_from_nusd
from ...state.types import CascadeState
from ..services import Services

USUAL_CALLS_PER_DAY = 100.0
"""Calls of a day taken as usual until yesterday's are known or today's are more."""
_DAY_S = 86_400.0

Paces = Mapping[str, Mapping[str, float]]
"""Price multiplier, dollars left and allowance of one call, by policy key; kept in the first decision."""
NO_PACES: Paces = MappingProxyType({})


def budgets_of(state: CascadeState) -> tuple[Budget, ...]:
    """Return the budgets the call's policy names; the day is the one the call began in, UTC."""
    policy = Policy.parse(state["policy"])
    budgets = []
    if policy.budget_usd_per_call is not None:
        budgets.append(Budget.per_call(nusd_from_usd(policy.budget_usd_per_call)))
    if policy.budget_usd_per_day is not None:
        began = datetime.fromisoformat(state["started_at"])
        budgets.append(Budget.per_day(nusd_from_usd(policy.budget_usd_per_day), began))
    return tuple(budgets)


async def read_paces(state: CascadeState, services: Services) -> Paces:
    """Return where the call's budgets stand before it, by policy key; empty without any."""
    budgets = budgets_of(state)
    if not budgets:
        return {}
    began = datetime.fromisoformat(state["started_at"])
    before = Budget.per_day(0, began - timedelta(days=1)).account
    accounts = await services.store.budgets.read(
        state["org"], [*(budget.account for budget in budgets), before]
    )
    paces = {}
    for budget in budgets:
        pace = _pace(budget, accounts[budget.account], accounts[before], began)
        paces[budget.key] = {
            "multiplier": float(pace.multiplier), "left_usd": float(pace.left_usd), "call_usd": pace.call_usd,
        }  # fmt: skip
    return paces


def _pace(budget: Budget, account: Account, before: Account, now: datetime) -> Pace:
    ceiling_usd, spent_usd = usd_from_nusd(budget.ceiling_nusd), usd_from_nusd(account.spent_nusd)
    if budget.is_per_call:
        return pace_per_call(ceiling_usd, spent_usd, account.calls)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    day_share = (now - midnight).total_seconds() / _DAY_S
    usual = float(before.calls) if before.calls else USUAL_CALLS_PER_DAY
    return pace_per_day(
        ceiling_usd, spent_usd, day_share=day_share, calls_per_day=max(usual, float(account.calls))
    )


def paces_of(state: CascadeState) -> Paces:
    """Return the paces the call's first decision was made under."""
    paces: dict[str, Any] = state["first_decision"].get("paces", {})
    return paces


def price_multiplier(paces: Paces) -> float:
    """Return what the price of a dollar is multiplied with: the tightest budget decides; 1 without budgets."""
    return max((pace["multiplier"] for pace in paces.values()), default=1.0)


def affordable(
    arms: Sequence[Arm], bounds_nusd: Mapping[str, int], paces: Paces, spent_nusd: int = 0
) -> tuple[list[Arm], dict[str, str]]:
    """Return the arms the budgets leave, and why each other one is removed.

    An arm fits when its predicted cost is allowed and the most it can cost is left. The cheapest stays in any case
    under a mean cost per call, which can recover, and never beyond a daily ceiling.

    Parameters
    ----------
    bounds_nusd
        Most that one request can cost, by model id.
    spent_nusd
        What this call has spent since the paces were read.
    """
    removed: dict[str, str] = {}
    if not arms:
        return [], removed
    costs = np.array([usd_from_nusd(arm.expected_cost_nusd) for arm in arms])
    cheapest = arms[int(costs.argmin())].model_id
    for key, stand in paces.items():
        left_usd = stand["left_usd"] - usd_from_nusd(spent_nusd)
        allowed = Pace(np.asarray(stand["multiplier"]), np.asarray(left_usd), stand["call_usd"]).allows(costs)
        for arm, is_allowed in zip(arms, allowed, strict=True):
            bound_usd = usd_from_nusd(bounds_nusd[arm.model_id])
            is_kept = arm.model_id == cheapest and key == "budget_usd_per_call"
            if not is_kept and not (is_allowed and bound_usd <= left_usd):
                removed[arm.model_id] = (
                    f"{key}: may cost ${bound_usd:.6f}, ${max(left_usd, 0.0):.6f} may be spent now"
                )
    return [arm for arm in arms if arm.model_id not in removed], removed
