"""What every provider takes and gives: a request, a completion, and the protocol between them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ..state.errors import ProviderError
from ..state.types import JSONObject, Logprobs
from ..state.usage import Usage
from .deltas import Sending

if TYPE_CHECKING:
    from .specs import Deployment, ModelSpec


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of one model."""

    message: JSONObject
    """The OpenAI assistant message, in the one form that `wire.reply` makes of all vendors'."""
    finish_reason: str
    usage: Usage | None
    """None when the provider did not say: the cost is then unknown, not zero."""
    model: str
    """The model's name as the provider gives it."""
    latency_ms: float
    deployment: str
    service_tier: str | None = None
    """The vendor's class of service that was charged, such as "flex"; None where it does not say."""
    logprobs: Logprobs | None = None
    """How likely its tokens were; None where that was not asked for."""
    tries: int = 1
    """Requests made for this answer, failed ones included."""


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """One request to one deployment of a model."""

    spec: "ModelSpec"
    deployment: "Deployment"
    body: JSONObject
    """OpenAI chat body; `model` and `stream` are the provider's to set."""
    attempt_id: str
    """The same id again asks for the answer of the earlier request, where the deployment knows how."""
    timeout_s: float
    """Seconds for the whole exchange."""
    api_key: str | None = field(default=None, repr=False)


class AttemptRecord(Protocol):
    """Keeps account of the requests behind one completion: each is written down before it is made."""

    async def begin(self, deployment: str, byok_key: str | None = None) -> str:
        """Note that a request to `deployment` is about to be made; return its attempt id."""
        ...

    async def finish(self, attempt_id: str, completion: Completion) -> None:
        """Note that it was answered."""
        ...

    async def fail(self, attempt_id: str, error: ProviderError) -> None:
        """Note that it failed."""
        ...


class ChatProvider(Protocol):
    """Anything that turns an OpenAI chat body into a completion."""

    async def complete(self, request: ProviderRequest) -> Completion:
        """Make one request and return its answer, or raise a `ProviderError`. Never retries."""
        ...

    async def stream(self, request: ProviderRequest, sending: Sending) -> Completion:
        """Make one request, send the pieces of its answer on as they come, and return it whole.

        An answer whose usage its vendor does not tell gets an estimate, and so does a failure after the first piece.
        """
        ...
