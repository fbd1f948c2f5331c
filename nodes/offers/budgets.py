"""Budgets of an org in one call: how they raise the price of a dollar, and whom they leave affordable."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from ...routing.plan.pacing import Pace, pace_per_call, pace_per_day
from ...routing.plan.policy import Policy, refuse
from ...state.ceilings import Imposed, is_imposed
from ...state.errors import OverBudget
from ...state.money.budgets import Account, Budget, day_account
from ...state.records import Arm, nusd_from_usd, usd_from_nusd
from ...state.store import Store
from ...state.working_memory import Allowance, Routed

USUAL_CALLS_PER_DAY = 100.0
"""Calls of a day taken as usual until yesterday's are known or today's are more."""
_DAY_S = 86_400.0


def budgets_of(policy: Policy, began: datetime, imposed: Sequence[Imposed] = ()) -> tuple[Budget, ...]:
    """Return the budgets a call is charged to; the day is the one the call began in, UTC.

    The day's account holds all calls of the org, so that a ceiling counts what calls without one have spent. A key has
    one of its own where it has a ceiling on days or months.
    """
    day_usd = policy.budget_usd_per_day
    day = Budget.per_day(None if day_usd is None else nusd_from_usd(day_usd), began)
    of_keys = []
    for one in imposed:
        if not one.ceilings.spans_calls:
            continue
        if one.owner == "org":
            day = day.under(one)
        else:
            of_keys.append(Budget(one.name("day"), day_account(began, one.account), None).under(one))
    if policy.budget_usd_per_call is None:
        return (day, *of_keys)
    return Budget.per_call(nusd_from_usd(policy.budget_usd_per_call)), day, *of_keys


async def read_allowances(
    budgets: Sequence[Budget], org: str, began: datetime, store: Store
) -> dict[str, Allowance]:
    """Return where a call's ceilings stand before it, by name; empty without any."""
    ceilings = {budget: budget.ceiling_nusd for budget in budgets if budget.ceiling_nusd is not None}
    months = {budget: budget.month_nusd for budget in budgets if budget.month_nusd is not None}
    found = {
        budget.month_key: _hard(month_nusd - await store.budgets.month_nusd(org, budget))
        for budget, month_nusd in months.items()
    }
    if not ceilings:
        return found
    before = Budget.per_day(None, began - timedelta(days=1)).account
    accounts = await store.budgets.read(org, [*(budget.account for budget in ceilings), before])
    return found | {
        budget.key: _hard(ceiling_nusd - accounts[budget.account].spent_nusd)
        if is_imposed(budget.key)
        else _allowance(budget, ceiling_nusd, accounts[budget.account], accounts[before], began)
        for budget, ceiling_nusd in ceilings.items()
    }


def _hard(left_nusd: int) -> Allowance:
    """Return the allowance of a ceiling that may be reached at any pace."""
    left_usd = usd_from_nusd(left_nusd)
    return Allowance(1.0, left_usd, left_usd)


def _allowance(
    budget: Budget, ceiling_nusd: int, account: Account, before: Account, now: datetime
) -> Allowance:
    ceiling_usd, spent_usd = usd_from_nusd(ceiling_nusd), usd_from_nusd(account.spent_nusd)
    if budget.is_per_call:
        pace = pace_per_call(ceiling_usd, spent_usd, account.calls)
    else:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        usual = float(before.calls) if before.calls else USUAL_CALLS_PER_DAY
        pace = pace_per_day(
            ceiling_usd, spent_usd, day_share=(now - midnight).total_seconds() / _DAY_S,
            calls_per_day=max(usual, float(account.calls)),
        )  # fmt: skip
    return Allowance(float(pace.multiplier), float(pace.left_usd), pace.call_usd)


def price_multiplier(allowances: Mapping[str, Allowance]) -> float:
    """Return what the price of a dollar is multiplied with: the tightest budget decides; 1 without budgets."""
    return max((one.multiplier for one in allowances.values()), default=1.0)


def affordable(
    arms: Sequence[Arm],
    bounds_nusd: Mapping[str, int],
    allowances: Mapping[str, Allowance],
    spent_nusd: int = 0,
) -> tuple[list[Arm], dict[str, str]]:
    """Return the arms the budgets leave, and why each other one is removed.

    An arm fits when its predicted cost is allowed and the most it can cost is left. The cheapest stays in any case
    under a mean cost per call, which can recover, and never beyond a daily ceiling.

    Parameters
    ----------
    bounds_nusd
        Most that one request can cost, by model id.
    spent_nusd
        What this call has spent since the allowances were read.
    """
    removed: dict[str, str] = {}
    if not arms:
        return [], removed
    costs = np.array([usd_from_nusd(arm.expected_cost_nusd) for arm in arms])
    cheapest = arms[int(costs.argmin())].model_id
    for key, one in allowances.items():
        left_usd = one.left_usd - usd_from_nusd(spent_nusd)
        allowed = Pace(np.asarray(one.multiplier), np.asarray(left_usd), one.call_usd).allows(costs)
        for arm, is_allowed in zip(arms, allowed, strict=True):
            bound_usd = usd_from_nusd(bounds_nusd[arm.model_id])
            is_kept = arm.model_id == cheapest and key == "budget_usd_per_call"
            if not is_kept and not (is_allowed and bound_usd <= left_usd):
                removed[arm.model_id] = (
                    f"{key}: may cost ${bound_usd:.6f}, ${max(left_usd, 0.0):.6f} may be spent now"
                )
    return [arm for arm in arms if arm.model_id not in removed], removed


def refuse_overtaken(call: Routed, removed: Mapping[str, str]) -> None:
    """Refuse a call that asked nobody, because other calls were faster to spend what its budgets left.

    Parameters
    ----------
    removed
        Models that could not be asked any more, with the reason.

    Raises
    ------
    NoEligibleModel
        When each model that the call turned to was beyond a budget: nothing was asked and nothing was spent.
    """
    failures = {answer.model_id: answer.failure for answer in call.answers if not answer.attempts}
    beyond = {
        model_id: failure.message
        for model_id, failure in failures.items()
        if failure is not None and failure.code == OverBudget.code
    }
    if len(beyond) == len(call.answers):
        raise refuse({**removed, **beyond})
