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
    cache_write_usd_per_mtok: Decimal | None = None
    """Of input that the vendor writes to its cache; where prompts are long, or at other times of day, as many times
    the price of the whole as usually."""
    cache_write_1h_usd_per_mtok: Decimal | None = None
    """Of input that it keeps there for an hour; None = as any other that it writes."""

    def dearest_input(self, whole: Decimal, usual: Decimal) -> Decimal:
        """Return the most that a token of a prompt without sound costs; `usual` as for `surplus`."""
        minutes = self.cache_write_usd_per_mtok
        # What is kept for an hour is asked for in the request, which then counts as more tokens; see `bound_prompt`.
        written = whole if minutes is None else self._written(minutes, whole, usual)
        return max(whole, self.image_input_usd_per_mtok or whole, written)

    def dearest_output(self, whole: Decimal) -> Decimal:
        """Return the most that a token of an answer costs."""
        return max(whole, self.audio_output_usd_per_mtok or whole, self.reasoning_usd_per_mtok or whole)

    @property
    def _write_prices(self) -> tuple[Decimal | None, Decimal | None]:
        """Prices of a token kept for minutes, and for an hour."""
        minutes, hour = self.cache_write_usd_per_mtok, self.cache_write_1h_usd_per_mtok
        return minutes, minutes if hour is None else hour

    def surplus(
        self, usage: Usage, *, paid: Decimal, answered: Decimal, sound: Decimal | None, usual: Decimal
    ) -> Decimal:
        """Return what the parts of a usage cost beyond the prices of the whole, dollars times million tokens.

        Parameters
        ----------
        paid, answered
            Prices of the whole prompt and answer.
        sound
            Price of sound in the prompt; None = as the whole.
        usual
            Price of the whole prompt where it is not long, at the usual times.
        """
        surplus = Decimal(0)
        minutes, hour = (
            None if price is None else self._written(price, paid, usual) for price in self._write_prices
        )
        for tokens, price, whole in (
            (usage.audio_tokens, sound, paid),
            (usage.image_tokens, self.image_input_usd_per_mtok, paid),
            (usage.cache_write_tokens - usage.cache_write_1h_tokens, minutes, paid),
            (usage.cache_write_1h_tokens, hour, paid),
            (usage.audio_output_tokens, self.audio_output_usd_per_mtok, answered),
            (usage.reasoning_tokens, self.reasoning_usd_per_mtok, answered),
        ):
            if tokens and price is not None:
                surplus += tokens * (price - whole)
        return surplus

    @staticmethod
    def _written(price: Decimal, whole: Decimal, usual: Decimal) -> Decimal:
        return price if usual == 0 else price * whole / usual


NO_PARTS = PartPrices()
