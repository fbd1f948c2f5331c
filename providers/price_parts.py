"""Prices of parts of a request that differ from those of the whole: sound, images, thinking, and long prompts.

All are US dollars per million tokens. A part of unknown price costs what the whole costs: never nothing.
"""

from dataclasses import dataclass
from decimal import Decimal

from ..state.usage import Usage


@dataclass(frozen=True, slots=True)
class LongPrompt:
    """Prices of requests whose prompt is longer than `above_tokens`; they hold for all of its tokens."""

    above_tokens: int
    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    cached_input_usd_per_mtok: Decimal | None = None
    """None = as any other input."""


@dataclass(frozen=True, slots=True)
class PartPrices:
    """None = the price of the whole prompt, or of the whole answer."""

    image_input_usd_per_mtok: Decimal | None = None
    audio_output_usd_per_mtok: Decimal | None = None
    reasoning_usd_per_mtok: Decimal | None = None

    def dearest_input(self, whole: Decimal) -> Decimal:
        """Return the most that a token of a prompt without sound costs."""
        return max(whole, self.image_input_usd_per_mtok or whole)

    def dearest_output(self, whole: Decimal) -> Decimal:
        """Return the most that a token of an answer costs."""
        return max(whole, self.audio_output_usd_per_mtok or whole, self.reasoning_usd_per_mtok or whole)

    def surplus(self, usage: Usage, *, paid: Decimal, answered: Decimal, sound: Decimal | None) -> Decimal:
        """Return what the parts of a usage cost beyond the prices of the whole, dollars times million tokens.

        Parameters
        ----------
        paid, answered
            Prices of the whole prompt and answer.
        sound
            Price of sound in the prompt; None = as the whole.
        """
        surplus = Decimal(0)
        for tokens, price, whole in (
            (usage.audio_tokens, sound, paid),
            (usage.image_tokens, self.image_input_usd_per_mtok, paid),
            (usage.audio_output_tokens, self.audio_output_usd_per_mtok, answered),
            (usage.reasoning_tokens, self.reasoning_usd_per_mtok, answered),
        ):
            if tokens and price is not None:
                surplus += tokens * (price - whole)
        return surplus


NO_PARTS = PartPrices()
