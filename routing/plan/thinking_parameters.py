"""How a request says how much a model is to think, in each vendor's words."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # pydantic reads no other below Python 3.12

Effort = Annotated[
    Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"],
    Field(description="none, minimal, low, medium, high, xhigh or max"),
]
ThinkingTokens = Annotated[int, Field(ge=1, lt=2**31, description="a whole number of at least 1")]
_Switch = Annotated[bool, Field(description="true or false")]
_Seen = with_config(ConfigDict(strict=True, extra="allow"))


@_Seen
class Thinking(TypedDict, total=False):
    """Whether a model thinks, as Anthropic, DeepSeek, Z.AI and Moonshot spell it."""

    type: Annotated[
        Literal["enabled", "disabled", "adaptive", "auto"],
        Field(description="enabled, disabled, adaptive or auto"),
    ]
    budget_tokens: ThinkingTokens


@_Seen
class Reasoning(TypedDict, total=False):
    """How much a model thinks, as OpenRouter spells it."""

    effort: Effort | None
    max_tokens: ThinkingTokens | None
    exclude: _Switch | None
    enabled: _Switch | None
