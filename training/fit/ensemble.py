"""Which models answer a prompt together, and how does one answer come of theirs? Sets of models, and their fusion.

A set completes a prompt when any member does, 1 - prod(1 - mu); the cheapest set that is likely enough is asked side by
side, and one model writes the answer from what the members said. Nobody is asked here: the caller asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...providers.profiles import BUNDLED_MODELS
from ...providers.registry import Registry, load_registry
from ...routing.belief.irt import Prediction
from ...routing.plan.fusion import fusion_messages
from ...routing.plan.sets import CandidateSet
from ...routing.plan.threshold import ThresholdRule, choose_set
from ...routing.prompt.tokens import estimate_prompt_tokens
from ...state.errors import ConfigError
from ...state.records import Arm
from .predictor import Predictor

PAIRS = ThresholdRule(completion_threshold=0.9, max_k=2)


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Models to ask for one conversation, and what to do with what they say."""

    messages: tuple[Mapping[str, Any], ...]
    """What each of them is asked, OpenAI chat messages."""
    chosen: CandidateSet
    predictions: tuple[Prediction, ...]
    """Of the members, in the order of `chosen.model_ids`."""

    @property
    def author(self) -> str:
        """The member most likely to complete the prompt: who best writes the one answer."""
        return max(self.predictions, key=lambda one: one.mu).model_id

    def fused(self, answers: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the messages that make the author write one answer from the members' answers.

        Parameters: `answers` maps model ids of the set to texts; an absent member failed. Whose answer is whose is not
        told.

        Raises
        ------
        ValueError
            If fewer than two members answered: then the answer stands as it is. Or if somebody else did.
        """
        if strangers := answers.keys() - set(self.chosen.model_ids):
            raise ValueError(
                f"{min(strangers)!r} is not of the set; it is {', '.join(self.chosen.model_ids)}"
            )
        given = [answers[model_id] for model_id in self.chosen.model_ids if model_id in answers]
        return fusion_messages(self.messages, given)


def choose_ensemble(
    predictor: Predictor,
    messages: Sequence[Mapping[str, Any]],
    model_ids: Sequence[str],
    rule: ThresholdRule = PAIRS,
    registry: Registry | None = None,
) -> Ensemble:
    """Return the cheapest set of at most `rule.max_k` of these models that is likely enough to complete.

    Parameters
    ----------
    registry
        What the models cost; None = the bundled one.

    Raises
    ------
    ConfigError
        If a model has no price: it must not pass as free.
    NotFound
        If a model is in no registry or has no profile.
    ValueError
        If no model is named.
    """
    registry = load_registry(BUNDLED_MODELS) if registry is None else registry
    predictions = predictor.predict(messages, model_ids)
    prompt_tokens = estimate_prompt_tokens(messages, {})
    arms = [_arm(registry, one, prompt_tokens) for one in predictions]
    chosen = choose_set(arms, rule)
    of_model = {one.model_id: one for one in predictions}
    return Ensemble(tuple(messages), chosen, tuple(of_model[model_id] for model_id in chosen.model_ids))


def _arm(registry: Registry, prediction: Prediction, prompt_tokens: int) -> Arm:
    spec = registry.get(prediction.model_id)
    if not spec.priced:
        raise ConfigError(f"{spec.model_id} has no price; a set cannot be chosen by cost with it")
    return Arm(
        model_id=prediction.model_id,
        provider=spec.provider,
        tier=spec.tier,
        expected_cost_nusd=spec.expected_cost_nusd(prompt_tokens),
        expected_latency_ms=spec.expected_latency_ms,
        completion_prob=prediction.mu,
        input_usd_per_mtok=float(spec.input_usd_per_mtok),
        output_usd_per_mtok=float(spec.output_usd_per_mtok),
        context_tokens=spec.context_tokens,
        max_output_tokens=spec.max_output_tokens,
    )
