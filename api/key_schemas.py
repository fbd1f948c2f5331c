"""Bodies about keys, and about what orgs set for their calls."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from ..routing.plan.org_settings import Allowed, AllowedUse
from ..state.api_key import DEFAULT_SCOPES, SCOPES, ApiKey
from ..state.ceilings import Ceilings
from ..state.keys import MOST_OVERLAP_S
from ..state.provider_keys import ProviderKey
from ..state.rates import MOST_A_MINUTE
from ..state.records import usd_from_nusd
from .schemas import Body


class KeyRequest(Body):
    """A key to make."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"org": "my-lab", "rate_limit_rpm": 60}}
    )

    org: str = Field(description="Org the key belongs to; whatever it is used for is this org's.")
    rate_limit_rpm: int = Field(0, ge=0, le=MOST_A_MINUTE, description="Calls in any minute, 0 = unlimited.")
    budgets: dict[str, Any] | None = Field(
        None,
        description="Addition: the most the key's calls may cost, US dollars: usd_per_call, usd_per_day, usd_per_month "
        "(UTC). Beyond it calls are refused with 402 before anything is spent.",
    )
    limits: dict[str, Any] | None = Field(
        None,
        description="Addition: requests_per_minute (as rate_limit_rpm), tokens_per_minute and concurrent_calls, beyond "
        "which calls are refused with 429; tokens_per_day and tokens_per_month (UTC), with 402.",
    )
    expires_at: AwareDatetime | None = Field(
        None, strict=False, description="Addition: until when it is good, with a time zone."
    )
    scopes: list[str] | None = Field(
        None,
        max_length=len(SCOPES),
        description=f"Addition: what it may do, some of {', '.join(SCOPES)}; default {', '.join(DEFAULT_SCOPES)}.",
    )


class RotateRequest(Body):
    """How a key is renewed."""

    model_config = ConfigDict(extra="forbid")

    overlap_s: float = Field(
        3600.0,
        ge=0,
        le=MOST_OVERLAP_S,
        allow_inf_nan=False,
        description="How long the old key stays good, seconds; 0 = it ends at once.",
    )


class Budgets(BaseModel):
    """The most that may be spent, US dollars; null = no ceiling."""

    usd_per_call: float | None
    usd_per_day: float | None
    usd_per_month: float | None

    @classmethod
    def of(cls, ceilings: Ceilings) -> "Budgets":
        """Return them in dollars."""
        return cls(**{
            f"usd_per_{span}": None if nusd is None else usd_from_nusd(nusd)
            for span, nusd in (
                ("call", ceilings.call_nusd), ("day", ceilings.day_nusd), ("month", ceilings.month_nusd),
            )
        })  # fmt: skip


class Limits(BaseModel):
    """How often, how much and how many at once; null = no limit."""

    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrent_calls: int | None
    tokens_per_day: int | None
    tokens_per_month: int | None

    @classmethod
    def of(cls, key: ApiKey) -> "Limits":
        """Return what a key's record says."""
        return cls(
            requests_per_minute=key.rate_limit_rpm or None, tokens_per_minute=key.tokens_per_minute or None,
            concurrent_calls=key.concurrent_calls or None, tokens_per_day=key.day_tokens,
            tokens_per_month=key.month_tokens,
        )  # fmt: skip


class KeyInfo(BaseModel):
    """What is known of a key; the key itself is kept nowhere."""

    key_id: str
    prefix: str = Field(description="How the key begins; empty for one from before that was kept.")
    org: str
    rate_limit_rpm: int = Field(description="Calls in any minute, 0 = unlimited.")
    scopes: list[str]
    is_admin: bool = Field(description="Whether it may do everything for every org.")
    budgets: Budgets
    limits: Limits
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute.")
    revoked_at: datetime | None

    @classmethod
    def facts(cls, key: ApiKey) -> dict[str, Any]:
        """Return the fields of a key's record."""
        names = (
            "key_id", "prefix", "org", "rate_limit_rpm", "is_admin", "created_at", "expires_at", "last_used_at",
            "revoked_at",
        )  # fmt: skip
        facts = {name: getattr(key, name) for name in names}
        return facts | {
            "scopes": list(key.scopes),
            "budgets": Budgets.of(key.ceilings),
            "limits": Limits.of(key),
        }

    @classmethod
    def of(cls, key: ApiKey) -> "KeyInfo":
        """Return what a key's record says."""
        return cls(**cls.facts(key))


class ListedKey(KeyInfo):
    """One of several keys."""

    replaces: str | None = Field(None, description="Id of the key it renewed.")


class KeyList(BaseModel):
    """Keys, oldest first."""

    keys: list[ListedKey]


class RevokedKey(BaseModel):
    """What revoking a key did."""

    key_id: str
    revoked: bool = True
    revoked_key_ids: list[str] = Field(description="Those that were good until now, this one first.")
    successors: list[str] = Field(
        description="Keys that came of it by renewal and are good all the same; with_successors=true revokes them, too."
    )


class NewKey(KeyInfo):
    """A key that was just made."""

    api_key: str = Field(description="The key: shown now and never again.")
    replaces: str | None = Field(None, description="Id of the key it renews.")
    old_key_until: datetime | None = Field(None, description="Until when that one stays good.")


class OwnKey(KeyInfo):
    """The key that was presented."""

    spent_today_usd: float | None = Field(
        description="Of the key and those it renewed, UTC; null where no ceiling has it counted."
    )
    spent_this_month_usd: float | None
    tokens_today: int | None = Field(description="Likewise; of requests under way the most they can take.")
    tokens_this_month: int | None


class OrgSettingsBody(BaseModel):
    """What an org set for its calls; null = as the gateway and the request say."""

    org: str
    optimize_for: Any = Field(description="Weights or a preset, of calls that name none.")
    quality_bar: float | None = Field(description="Of calls whose policy names none, 0 to 1.")
    judge: str | None = Field(description='"auto", "none", or the one model that judges.')
    privacy: str | None = Field(
        description='The most that is kept of a prompt: "hashes", "inputs" (its vector), "prompts" (its words).'
    )
    retention_days: float | None = Field(description="After which prompts, answers and checkpoints go.")
    reference_model: str | None = Field(description="What savings are measured against.")
    mode: str | None = Field(description='"proxy", "cache" or "full", of calls that name none.')
    cache: str | None = Field(
        description='Answers given again: "off", "exact", "near" (to other words, too).'
    )
    cache_ttl_s: float | None = Field(description="How long an answer is given again.")
    budgets: Allowed = Field(description="US dollars of all calls of the org.")
    limits: AllowedUse = Field(description="How often they may be made, and of how many tokens.")
    applies_within_s: float = Field(
        description="How long other processes on the store may go on with the settings before."
    )


class ProviderKeyRequest(Body):
    """A provider key to bring along."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"provider": "openrouter", "api_key": "sk-or-…", "priority": 0}},
    )

    provider: str = Field(
        max_length=100, description="Name of the deployments it opens: openrouter, openai, anthropic …"
    )
    api_key: SecretStr = Field(strict=False, description="The key: kept encrypted, and never shown again.")
    priority: int = Field(0, ge=0, le=1000, description="Those of a lower number are used first.")


class ProviderKeyInfo(BaseModel):
    """What is shown of an org's own provider key."""

    key_id: str
    provider: str
    priority: int
    prefix: str = Field(description="How the key begins.")
    created_at: datetime
    usable: bool = Field(
        description="false: the gateway cannot open it (its master key changed); calls go without it."
    )

    @classmethod
    def of(cls, key: ProviderKey, unusable: Collection[str] = ()) -> "ProviderKeyInfo":
        """Return what a record says; `unusable` are the ids of those that cannot be opened."""
        told = {name: getattr(key, name) for name in cls.model_fields if name != "usable"}
        return cls(**told, usable=key.key_id not in unusable)


class ProviderKeyList(BaseModel):
    """Provider keys, in the order they are used in."""

    keys: list[ProviderKeyInfo]


class OrgDeleted(BaseModel):
    """What was erased of an org."""

    org: str
    rows: dict[str, int] = Field(description="Deleted rows by table.")
    tombstones: int = Field(description="Entries of the audit chain of which the hash is left.")
    calls: int
    cost_usd: float = Field(description="Of all its calls; known as this sum alone from now on.")
    checkpoints: int = Field(description="Calls whose checkpoints went.")
    folders: int = Field(
        description="Folders of training data in the data folder of the gateway that answered."
    )
    folders_left: list[str] = Field(
        description="Folders of training data that are elsewhere or could not be deleted, each with the reason."
    )
    calls_under_way: int = Field(
        description="Calls that did not end in time: each leaves rows behind, so delete the org once more."
    )
