"""What an org set for its calls, as a call carries it from its first node on."""

from dataclasses import dataclass
from typing import Literal

Privacy = Literal["hashes", "inputs", "prompts"]
"""What is kept of a prompt: its hash in the audit chain alone; the vector it is made into, too; its words, too."""

NO_JUDGE = "none"


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

    @property
    def is_unjudged(self) -> bool:
        """Whether nobody may judge, so that checks and labels alone teach."""
        return self.judge == NO_JUDGE

    @property
    def keeps_words(self) -> bool:
        """Whether it lets words be kept where the gateway keeps them."""
        return self.privacy in (None, "prompts")

    @property
    def keeps_inputs(self) -> bool:
        """Whether it lets vectors be kept where the gateway keeps them."""
        return self.privacy != "hashes"


AS_THE_GATEWAY = OrgWishes()
