"""What an org set for its calls, as a call carries it from its first node on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Privacy = Literal["hashes", "inputs", "prompts"]
"""What is kept of a prompt: its hash in the audit chain alone; the vector it is made into, too; its words, too."""

NO_JUDGE = "none"
STORE = "store"
"""OpenAI's parameter: false = the call is not to be kept."""


@dataclass(frozen=True, slots=True)
class OrgWishes:
    """None = as the gateway's settings say."""

    quality_bar: float | None = None
    """Of calls whose policy names none, 0 to 1."""
    judge: str | None = None
    """"none", or the one model that judges."""
    privacy: Privacy | None = None
    """The most that is kept; less where the gateway keeps less."""
    reference_model: str | None = None
    """The model that savings are measured against."""
    is_unstored: bool = False
    """The request itself says `store: false`: nothing of the call is kept that `hashes` would not keep."""

    def of_call(self, options: Mapping[str, Any]) -> "OrgWishes":
        """Return them as they are for a call with these chat parameters, which may have less kept, and never more."""
        return replace(self, is_unstored=True) if is_unstored(options) else self

    @property
    def is_unjudged(self) -> bool:
        """Whether nobody may judge, so that checks and labels alone teach."""
        return self.judge == NO_JUDGE

    @property
    def keeps_words(self) -> bool:
        """Whether words may be kept where the gateway keeps them."""
        return self.privacy in (None, "prompts") and not self.is_unstored

    @property
    def keeps_inputs(self) -> bool:
        """Whether vectors may be kept where the gateway keeps them."""
        return self.privacy != "hashes" and not self.is_unstored


def is_unstored(options: object) -> bool:
    """Return whether chat parameters, checked or as they came, ask that nothing of the call be kept."""
    return isinstance(options, Mapping) and options.get(STORE) is False


AS_THE_GATEWAY = OrgWishes()
