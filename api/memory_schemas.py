"""What the doors of memory carry."""

from pydantic import BaseModel, ConfigDict, Field

from ..routing.plan.memory import MOST_BUDGET_TOKENS
from .schemas import Body


class MemoryChange(Body):
    """What an org settles."""

    model_config = ConfigDict(strict=True, extra="forbid")

    enabled: bool = Field(description="Whether calls remember that do not say otherwise.")
    budget_tokens: int | None = Field(
        None, description=f"Most tokens added to a call, 0 to {MOST_BUDGET_TOKENS}; as it was when absent."
    )
    keep_days: float | None = Field(
        None, description="Days that what was said is kept, where that is shorter than the gateway keeps it."
    )


class Chosen(BaseModel):
    """Which passages to read."""

    model_config = ConfigDict(extra="forbid")

    user: str | None = Field(None, description="Only what this `user` of the org said.")
    conversation_id: str | None = Field(None, description="Only what was said in this conversation.")
    limit: int = Field(100, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=2**31)


class ToForget(BaseModel):
    """Which passages to delete."""

    model_config = ConfigDict(extra="forbid")

    user: str | None = Field(None, description="What this `user` of the org said.")
    conversation_id: str | None = Field(None, description="What was said in this conversation.")
    all: bool = Field(False, description="Everything: a path that lost its last part must not mean that.")


class SettledMemory(BaseModel):
    """What an org has settled."""

    enabled: bool
    budget_tokens: int
    keep_days: float | None = Field(description="null = as long as the gateway keeps it (X25_MEMORY_DAYS).")
    reason: str | None = Field(
        description="Why nothing is remembered here, whoever asks; null where it may be."
    )


class SaidBefore(BaseModel):
    """A passage that is remembered."""

    id: str
    scope: str = Field(description='Whose it is: "org", or a digest of the `user` that said it.')
    conversation_id: str
    call_id: str
    role: str = Field(description="user or assistant.")
    text: str
    said_at: str
    allowed_providers: list[str] | None = Field(
        description="Who alone may read it, as its call demanded; null = anybody."
    )


class MemoryPage(BaseModel):
    """Some of what an org remembers."""

    org: str
    setting: SettledMemory
    total: int
    items: list[SaidBefore]


class Forgotten(BaseModel):
    """What was deleted."""

    deleted: int = Field(description="Passages.")
