"""Who may judge the answers of a call, and what a judgement is expected to cost."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...providers.judge import Caller, LLMJudge
from ...providers.specs import ModelSpec
from ...routing.belief.thompson import UNJUDGED_LEARNER, Learner
from ...routing.plan.policy import Policy, judge_objection
from ...state.org_wishes import AS_THE_GATEWAY, OrgWishes

if TYPE_CHECKING:
    from ..services import Services

NONE_NOW = "no judge can be asked now"
JUDGE_PROMPT_TOKENS = 250
"""Tokens of the judge's instructions, beside the case itself."""
JUDGE_ANSWER_TOKENS = 60


def permitted_judge(
    policy: Policy, services: "Services", wishes: OrgWishes = AS_THE_GATEWAY
) -> tuple[LLMJudge | None, dict[str, str]]:
    """Return the judge with those of its models that may read the call, and what removed each other one."""
    if services.judge is None:
        return None, {}
    removed = {}
    for spec in services.judge.specs:
        priced = spec.priced_at(services.now())
        objection = judge_objection(
            policy,
            provider=spec.provider,
            input_usd_per_mtok=float(priced.input_usd_per_mtok),
            output_usd_per_mtok=float(priced.output_usd_per_mtok),
        )
        if wishes.judge not in (None, spec.model_id):
            objection = f"judge: the org's settings say {wishes.judge}"
        if objection is not None:
            removed[spec.model_id] = objection
    if not removed:
        return services.judge, {}
    return services.judge.limited_to(
        {spec.model_id for spec in services.judge.specs} - removed.keys()
    ), removed


def caller_of(org: str, services: "Services") -> Caller:
    """Return for whom a judge is asked: with the org's own keys first, as its models are."""
    return Caller(org, services.provider_keys.of(org))


def named(reasons: Mapping[str, str]) -> str:
    """Return which judges are not asked and why, in a line."""
    return "; ".join(f"{name} ({why})" for name, why in reasons.items())


def learner_of(wishes: OrgWishes, services: "Services") -> Learner:
    """Return how the calls of an org learn: by checks alone where nobody may judge."""
    return UNJUDGED_LEARNER if wishes.is_unjudged else services.learner


def judge_cost_nusd(prompt_tokens: int, yardstick: ModelSpec, judge: LLMJudge, services: "Services") -> int:
    """Return the expected cost of one judgement: the question and a typical answer read, a short verdict written."""
    read = prompt_tokens + yardstick.expected_output_tokens + JUDGE_PROMPT_TOKENS
    return judge.specs[0].priced_at(services.now()).expected_cost_nusd(read, JUDGE_ANSWER_TOKENS)
