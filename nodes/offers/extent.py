"""How much a request asks for: tokens in and out, as an estimate and as a bound, and what a model may cost for them."""

from dataclasses import dataclass, replace

from ...providers.specs import NO_EXTRAS, Extras, ModelSpec
from ...routing.plan.priceable import bound_extra_output
from ...routing.plan.request import answer_tokens
from ...routing.prompt.tokens import PromptBound, bound_prompt
from ...state.types import JSONObject

_ANY_LENGTH = 1_000_000


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one request is allowed."""

    answer_tokens: int
    """Longest answer."""
    cost_nusd: int
    """Most it can cost."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The tokens of one request, whatever the model."""

    prompt_tokens: int
    """Estimated."""
    prompt_bound: PromptBound
    """Most tokens the prompt can be billed."""
    answer_tokens: int
    """Most tokens an answer may have."""
    extras: Extras = NO_EXTRAS
    """What may be billed beside."""

    def expected_cost_nusd(self, spec: ModelSpec, cached_share: float = 0.0) -> int:
        """Return what a typical answer of a model costs, with that share of the prompt in its vendor's cache."""
        limit = min(self.answer_tokens, spec.max_output_tokens)
        return spec.expected_cost_nusd(self.prompt_tokens, limit, int(self.prompt_tokens * cached_share))

    def usual_bound_nusd(self, spec: ModelSpec) -> int:
        """Return the most that a request costs with an answer of the model's usual length."""
        usual = replace(self, answer_tokens=min(self.answer_tokens, spec.expected_output_tokens))
        return usual.reserve(spec).cost_nusd

    def reserve(self, spec: ModelSpec, left_nusd: int | None = None) -> Reservation:
        """Return what one request of a model is allowed.

        Parameters
        ----------
        left_nusd
            What the caller's cap leaves, which the answer is cut to; None without a cap.
        """
        tokens = min(self.answer_tokens, spec.max_output_tokens)
        bound = self.prompt_bound.within(spec.context_tokens)
        if left_nusd is not None:
            tokens = spec.affordable_tokens(left_nusd, bound, tokens, self.extras)
        return Reservation(tokens, spec.bound_cost_nusd(bound, tokens, self.extras))

    def reserve_unlimited(self, spec: ModelSpec) -> Reservation:
        """Return what a request is allowed that names no limit: as long an answer as the model gives."""
        return replace(self, answer_tokens=spec.max_output_tokens).reserve(spec)


def extent_of(
    messages: list[JSONObject], options: JSONObject, prompt_tokens: int, default_answer_tokens: int
) -> Extent:
    """Return how much a request asks for; `prompt_tokens` is the estimate made of it before."""
    service_tier, bound = options.get("service_tier"), bound_prompt(messages, options)
    return Extent(
        prompt_tokens=prompt_tokens,
        prompt_bound=bound,
        answer_tokens=answer_tokens(options, default_answer_tokens, _ANY_LENGTH),
        extras=Extras(
            service_tier=service_tier if isinstance(service_tier, str) else None,
            output_tokens=bound_extra_output(options),
            has_audio=bound.has_audio,
        ),
    )
