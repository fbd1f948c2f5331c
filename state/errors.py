"""Everything that can go wrong, by name.

X25Error
├── InvalidRequest              the caller can fix it (HTTP 422)
│   ├── NoEligibleModel         hard constraints leave no model (HTTP 422, nothing was spent)
│   │   ├── BudgetExceeded      a ceiling of the key or the org leaves no model (HTTP 402, nothing was spent)
│   │   │   └── QuotaExceeded   its quota of tokens does (HTTP 402, likewise)
│   │   └── PromptTooLong       no window holds the prompt (HTTP 400, nothing was spent)
│   ├── ChainEnded              a chain of calls had the steps or the time that its caller allows (HTTP 422)
│   └── Undecidable             a decision is asked for with nothing to decide on, or among (HTTP 400)
│       ├── EmptyPrompt         there is no prompt
│       ├── UnknownConfig       no router config goes by that name
│       └── UnknownModels       some of the models named cannot be reached here, or are none
├── Unauthorized                missing, unknown or revoked key (HTTP 401)
│   └── ExpiredToken            the key's time is over (HTTP 401)
├── Forbidden                   the key is of another org, or may not do this (HTTP 403)
│   └── StageNotReached         the org made too few calls for it (HTTP 403, calls_needed)
├── TooManyRequests             the key asked as often as it may (HTTP 429, retry_after_s)
├── NotFound                    no such org or call (HTTP 404)
│   └── ModelNotFound           no such router or model (HTTP 404)
├── ConfigError                 settings, registry or router files are wrong; stops start-up
│   └── EncoderAbsent           the encoder a setting names cannot be loaded; serving does without it
├── TextNotKept                 a run needs words of an earlier one, and its graph keeps none
├── SyncCallInLoop              a synchronous call would wait for the event loop it is made on
├── MemoryUnavailable           what was said earlier cannot be read or kept; the call does without it
├── StoreError                  the database refused or is of another version (HTTP 503)
│   └── AttemptTaken            the attempt's id is written down already: another run of the call was faster
├── ChainBroken                 an audit chain could not be extended
├── CallFailed                  every eligible model failed (HTTP 502, 504 when all timed out)
│   ├── RequestRefused          the request is at fault, by the vendors' word (HTTP 400, with their reason)
│   │   └── WindowExceeded      the prompt is too long, by their word
│   ├── StreamBroken            an answer broke off of which something was sent already (an event of its stream)
│   └── AllBusy                 every eligible model is busy (HTTP 503, with Retry-After)
└── ProviderError               one provider request failed; caught by the gateway and by dispatch
    ├── ProviderAuth            401
    ├── ProviderForbidden       403: this request or model, not the key
    ├── ProviderRateLimit       429, 529 (retry_after_s)
    ├── ProviderBilling         402, or a 429 that says the quota is spent
    ├── BeyondAllowance         402, 429: the account allows no request as large; a smaller one it may
    ├── ModelUnfit              this model cannot answer this request; another one may
    │   ├── ModelGone           404, 410: retired, renamed, or never there
    │   ├── Unsupported         a parameter, role or kind of input that the model does not take
    │   ├── ContextLengthExceeded   the prompt does not fit the model
    │   └── ContentFiltered     the vendor's own moderation refused question or answer
    ├── ProviderBadRequest      other 4xx: wrong for everybody, once a second model says so as well
    │   ├── StreamRefused       the deployment takes no request for a stream; asked again without
    │   └── MalformedRequest    the vendor says that the body itself is wrong
    ├── ProviderTimeout         connect, read, or slow first token
    ├── ProviderConnection      refused, reset, DNS, TLS
    ├── ProviderServer          5xx
    ├── ProviderMalformed       not JSON, not a completion, cut off, no usage where it is needed
    ├── BreakerOpen             failed too often lately; not asked until its rest is over (retry_after_s)
    ├── NothingSaid             the tokens it was allowed ran out before the answer began
    ├── EncoderUnavailable      no vector of a prompt can be had now; estimates do without it
    ├── HedgeLost               another request for the same answer was faster; this one was broken off
    ├── OverBudget              the org's budget leaves too little for this request; nothing was asked
    ├── ReaderLeft              whoever read the answer while it was written left
    └── AttemptInterrupted      a process died while this attempt was out; whether it was billed is unknown
"""

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from .rates import Standing
    from .usage import Usage


class X25Error(Exception):
    """Base of every error raised on purpose."""

    code: ClassVar[str] = "x25_error"
    """Stable machine-readable name, used on the wire and in the log."""


class InvalidRequest(X25Error):
    """The request breaks a rule; `field` names the part to change."""

    code = "invalid_request"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class NoEligibleModel(InvalidRequest):
    """Hard constraints removed every model; `removed` says which constraint removed whom."""

    code = "no_eligible_model"

    def __init__(self, message: str, *, removed: dict[str, str]) -> None:
        super().__init__(message, field="policy")
        self.removed = removed


class BudgetExceeded(NoEligibleModel):
    """A ceiling that the key or the org has leaves no model that may be asked."""

    code = "budget_exceeded"


class PromptTooLong(NoEligibleModel):
    """No window of those that might be asked holds the prompt; a shorter one would do."""

    code = "context_length_exceeded"


class ChainEnded(InvalidRequest):
    """A chain of calls had as many steps, or as long, as its caller lets it; `field` names the bound."""

    code = "chain_limit_reached"


class QuotaExceeded(BudgetExceeded):
    """A quota of tokens that the key or the org has leaves no model that may be asked."""

    code = "quota_exceeded"


class Undecidable(InvalidRequest):
    """A decision is asked for with nothing to decide on, or among."""

    code = "undecidable"


class EmptyPrompt(Undecidable):
    """The prompt holds no text."""

    code = "empty_prompt"


class UnknownConfig(Undecidable):
    """No router config goes by that name; the message lists those there are."""

    code = "unknown_config"


class UnknownModels(Undecidable):
    """Some of the models named cannot be reached here, or are none; the message lists them."""

    code = "unknown_models"


class Unauthorized(X25Error):
    """The key is missing, unknown or revoked."""

    code = "invalid_api_key"


class ExpiredToken(Unauthorized):
    """The key was good, and its time is over."""

    code = "expired_token"


class Forbidden(X25Error):
    """The key is good, but not for this org, or not for this."""

    code = "insufficient_permissions"


class StageNotReached(Forbidden):
    """The org has made too few calls for this; `calls_needed` more open it."""

    code = "stage_not_reached"

    def __init__(self, message: str, *, calls_needed: int, stage: int, required_stage: int) -> None:
        super().__init__(message)
        self.calls_needed = calls_needed
        self.stage = stage
        self.required_stage = required_stage


class TooManyRequests(X25Error):
    """The key or the org asked as often as it may; `retry_after_s` is how many whole seconds to wait."""

    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after_s: int, standings: "tuple[Standing, ...]" = ()) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.standings = standings
        """Where whoever is limited stands."""


class NotFound(X25Error):
    """The named thing does not exist for this org."""

    code = "not_found"


class ModelNotFound(NotFound):
    """No router and no model that can be reached here goes by that name; the message lists those there are."""

    code = "model_not_found"

    def __init__(self, message: str, *, field: str = "model") -> None:
        super().__init__(message)
        self.field = field


class ConfigError(X25Error):
    """A setting or a file is wrong; the message names file and key."""

    code = "config_error"


class EncoderAbsent(ConfigError):
    """The encoder that a setting names cannot be loaded: a package or its weights are missing."""

    code = "encoder_absent"


class TextNotKept(X25Error):
    """A run needs the words of an earlier step or run, and its graph keeps none; the message names the setting."""

    code = "text_not_kept"


class SyncCallInLoop(X25Error):
    """A synchronous call would wait for the event loop it is made on, for ever."""

    code = "sync_call_in_loop"


class StoreError(X25Error):
    """The database cannot be used; the message says why and what to do."""

    code = "store_error"


class AttemptTaken(StoreError):
    """The id of an attempt is written down already: another run of the same call made this request before."""

    code = "attempt_taken"


class ChainBroken(X25Error):
    """The audit chain could not be extended without a fork."""

    code = "chain_broken"


class CallFailed(X25Error):
    """Every eligible model failed. `attempts` lists what was tried, in order, without text."""

    code = "call_failed"
    failures: tuple[str, ...] = ()
    """Each model with the class of its failure, those included that could not be asked at all."""

    def __init__(self, message: str, *, attempts: list[dict[str, object]], call_id: str = "") -> None:
        super().__init__(message)
        self.attempts = attempts
        self.call_id = call_id


class RequestRefused(CallFailed):
    """The vendors say that the request itself is wrong; the message is their reason."""

    code = "request_refused"


class WindowExceeded(RequestRefused):
    """The vendors say that the prompt is too long; clients know by the code that a shorter one would do."""

    code = "context_length_exceeded"


class StreamBroken(CallFailed):
    """An answer broke off of which something was sent already, so that nobody else could be asked for it."""

    code = "stream_broken"


class AllBusy(CallFailed):
    """Every eligible model is busy; `retry_after_s` says when the first may answer again."""

    code = "all_models_busy"

    def __init__(
        self, message: str, *, attempts: list[dict[str, object]], call_id: str = "", retry_after_s: float
    ) -> None:
        super().__init__(message, attempts=attempts, call_id=call_id)
        self.retry_after_s = retry_after_s


class ProviderError(X25Error):
    """One provider request failed."""

    code = "provider_error"
    retryable: ClassVar[bool] = True
    """Whether the same request may succeed at the same deployment a moment later."""
    is_providers_fault: ClassVar[bool] = True
    """Whether it says something about the provider's health."""

    may_have_billed: bool = False
    """True when the provider may have done the work: the reservation then stays counted as spent."""
    usage: "Usage | None" = None
    """What the provider counted all the same; the attempt then costs that."""

    def __init__(
        self, message: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s
        """Seconds the provider asked to wait; None when it did not say."""


class ProviderAuth(ProviderError):
    """The provider refused the key."""

    code = "auth"


class ProviderForbidden(ProviderError):
    """The provider knows the key and refuses this model or request."""

    code = "forbidden"
    retryable = False


class ProviderRateLimit(ProviderError):
    """Too many requests; `retry_after_s` says how long to wait."""

    code = "rate_limit"


class ProviderBilling(ProviderError):
    """The provider's account has no credit left."""

    code = "billing"


class BeyondAllowance(ProviderError):
    """The account allows no request as large, by its credit or its tokens a minute; a smaller one it may."""

    code = "beyond_allowance"
    retryable = False
    is_providers_fault = False


class ModelUnfit(ProviderError):
    """The model cannot answer the request; another one may."""

    code = "model_unfit"
    retryable = False
    is_providers_fault = False


class ModelGone(ModelUnfit):
    """The provider has no such model: retired, renamed, or not for this account."""

    code = "model_gone"


class Unsupported(ModelUnfit):
    """The model does not take something of the request; `parameter` names it where the vendor does."""

    code = "unsupported"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        parameter: str | None = None,
    ) -> None:
        super().__init__(message, status=status, retry_after_s=retry_after_s)
        self.parameter = parameter


class ContextLengthExceeded(ModelUnfit):
    """The prompt does not fit the model's window; another model may take it."""

    code = "context_length"


class ContentFiltered(ModelUnfit):
    """The vendor's own moderation stopped the question or the answer; another vendor may have other rules."""

    code = "content_filter"


class ProviderBadRequest(ProviderError):
    """The provider refused the body, without saying whether another would."""

    code = "bad_request"
    retryable = False
    is_providers_fault = False


class MalformedRequest(ProviderBadRequest):
    """The provider refused the body for a fault that it has everywhere."""

    code = "malformed_request"


class ProviderTimeout(ProviderError):
    """No answer in time."""

    code = "timeout"
    may_have_billed = True


class ProviderConnection(ProviderError):
    """No connection, or it broke."""

    code = "connection"
    may_have_billed = True


class ProviderServer(ProviderError):
    """The provider failed (5xx)."""

    code = "server"


class ProviderMalformed(ProviderError):
    """The provider answered with something that is not a completion."""

    code = "malformed"
    may_have_billed = True


class BreakerOpen(ProviderError):
    """Every deployment of the model failed too often lately; none was asked. `retry_after_s` says when one may be."""

    code = "breaker_open"
    retryable = False
    is_providers_fault = False


class NothingSaid(ProviderError):
    """The tokens that the router allowed ran out, in thinking, before the answer began; they were billed."""

    code = "nothing_said"
    may_have_billed = True


class MemoryUnavailable(X25Error):
    """The store of memory raised something; the message names store and class, and none of the words kept there."""

    code = "memory_unavailable"


class EncoderUnavailable(ProviderError):
    """The encoder gives no vector now; the message says why, in a word."""

    code = "encoder_unavailable"


class HedgeLost(ProviderError):
    """Two requests were out for one answer, and the other brought it; what this one cost is kept."""

    code = "hedge_lost"
    retryable = False
    is_providers_fault = False
    may_have_billed = True


class OverBudget(ProviderError):
    """The org's budget leaves too little for this request; a cheaper model may still fit."""

    code = "over_budget"


class AttemptInterrupted(ProviderError):
    """The process died while the attempt was out; its reservation stays counted as spent."""

    code = "interrupted"
    may_have_billed = True


class ReaderLeft(ProviderError):
    """Whoever read the answer while it was written left; the request was given up."""

    code = "client_left"
    retryable = False
    is_providers_fault = False
    may_have_billed = True


class StreamRefused(ProviderBadRequest):
    """The deployment takes no part of the request that asks for a stream; asked again, the gateway leaves it out."""

    code = "stream_refused"
