"""The SDK: one agent, synchronous (`X25`) or asynchronous (`AsyncX25`), speaking HTTP to a gateway.

    agent = X25(org="my-research-lab", optimize_for="cost-first")
    print(agent.complete("What is the capital of France?"))

Each operation is written once, as a generator that yields `httpx.Request`, receives `httpx.Response` and
returns the result; the two agents only drive it. Nothing is retried here: the gateway does that, and accounts
for it.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from typing import Any, Final, Generic, Literal, Self, TypeVar, overload
from urllib.parse import quote, urlsplit

import httpx

from .exceptions import (
    BudgetExceeded,
    GatewayError,
    GatewayTimeout,
    GatewayUnreachable,
    InvalidRequest,
    MalformedReply,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    Unauthorized,
    UpstreamFailed,
    X25Error,
    error_from,
    named_failures,
)
from .response import X25Response, json_object

__all__ = [
    "X25",
    "AsyncX25",
    "BudgetExceeded",
    "GatewayError",
    "GatewayTimeout",
    "GatewayUnreachable",
    "InvalidRequest",
    "MalformedReply",
    "Overloaded",
    "QuotaExceeded",
    "RateLimited",
    "Unauthorized",
    "UpstreamFailed",
    "X25Error",
    "X25Response",
]

Outcome = Literal["good", "bad", "retracted"]
Preset = Literal["cost-first", "quality-first", "balanced", "latency-first"]
PRESETS: Final[dict[str, dict[str, float]]] = {
    "cost-first": {"cost": 0.7, "quality": 0.2, "latency": 0.1},
    "quality-first": {"cost": 0.1, "quality": 0.8, "latency": 0.1},
    "balanced": {"cost": 0.33, "quality": 0.34, "latency": 0.33},
    "latency-first": {"cost": 0.1, "quality": 0.2, "latency": 0.7},
}
DEFAULT_GATEWAY_URL: Final = "http://localhost:8000"
IDENTITY_TIMEOUT_S: Final = 5.0
READ_TIMEOUT_S: Final = 10.0

_REFERENCE_FORM: Final = ("org", "optimize_for", "policy", "gateway_url", "api_key")
_QUICK_START_FORM: Final = ("api_key", "prompt", "org")

T = TypeVar("T")
TransportT = TypeVar("TransportT", httpx.BaseTransport, httpx.AsyncBaseTransport)
Operation = Generator[httpx.Request, httpx.Response, T]


class _Agent(ABC, Generic[TransportT]):
    """What both agents share: the checked configuration, and the operations as generators."""

    @overload
    def __init__(
        self,
        org: str = "default",
        optimize_for: Mapping[str, float] | Preset | None = None,
        policy: Mapping[str, Any] | None = None,
        gateway_url: str = DEFAULT_GATEWAY_URL,
        api_key: str | None = None,
        *,
        prompt: str | None = None,
        router: str = "auto",
        timeout_s: float = 120.0,
        transport: TransportT | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        api_key: str,
        prompt: str | None = None,
        org: str = "default",
        *,
        optimize_for: Mapping[str, float] | Preset | None = None,
        policy: Mapping[str, Any] | None = None,
        gateway_url: str = DEFAULT_GATEWAY_URL,
        router: str = "auto",
        timeout_s: float = 120.0,
        transport: TransportT | None = None,
    ) -> None: ...

    def __init__(self, *args: Any, transport: TransportT | None = None, **kwargs: Any) -> None:
        names = _QUICK_START_FORM if _is_quick_start(args) else _REFERENCE_FORM
        if len(args) > len(names):
            raise TypeError(f"expected at most {len(names)} positional arguments {names}, got {len(args)}")
        self._configure(**dict(zip(names, args, strict=False)), **kwargs)
        self._open(transport)

    @abstractmethod
    def _open(self, transport: TransportT | None) -> None:
        """Make the HTTP client that sends this agent's requests."""

    def _configure(  # noqa: PLR0913 - the published constructor
        self,
        *,
        org: str | None = None,
        optimize_for: Mapping[str, float] | str | None = None,
        policy: Mapping[str, Any] | None = None,
        gateway_url: str = DEFAULT_GATEWAY_URL,
        api_key: str | None = None,
        prompt: str | None = None,
        router: str = "auto",
        timeout_s: float = 120.0,
    ) -> None:
        if not timeout_s > 0:
            raise ValueError(f"timeout_s: expected more than 0 seconds, got {timeout_s!r}")
        self.org = "default" if org is None else org
        self.optimize_for = _normalised_weights("balanced" if optimize_for is None else optimize_for)
        self.policy = dict(policy or {})
        self.gateway_url = _checked_url(gateway_url)
        self.prompt = prompt
        self.router = router
        self.timeout_s = timeout_s
        self._headers = _authorization(api_key)
        self._org_is_the_keys = org is None and api_key is not None
        """True until the gateway has told whose key this is."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(org={self.org!r}, gateway_url={self.gateway_url!r})"

    def _call(
        self, method: str, path: str, timeout_s: float, json: dict[str, Any] | None = None
    ) -> Operation[dict[str, Any]]:
        timeout = httpx.Timeout(min(timeout_s, self.timeout_s)).as_dict()
        url = self.gateway_url + path
        response = yield httpx.Request(
            method, url, headers=self._headers, json=json, extensions={"timeout": timeout}
        )
        if not response.is_success:
            raise error_from(response)
        return json_object(response)

    def _resolve_org(self) -> Operation[str]:
        if self._org_is_the_keys:
            try:
                owner = yield from self._call("GET", "/keys/me", IDENTITY_TIMEOUT_S)
            except InvalidRequest as error:
                if error.status != 404:
                    raise
                owner = {"org": self.org}  # a gateway that issues no keys
            if not isinstance(owner.get("org"), str):
                raise MalformedReply(
                    f"GET /keys/me: expected the key's org as text, got {owner.get('org')!r}"
                )
            self.org, self._org_is_the_keys = owner["org"], False
        return self.org

    def _complete(
        self, prompt: str | None, messages: list[dict[str, Any]] | None, **given: Any
    ) -> Operation[X25Response]:
        if prompt is None and messages is None:
            prompt = self.prompt
        _check_question(prompt, messages)
        optional = {"prompt": prompt, "messages": messages, **given}
        body = {
            "org": (yield from self._resolve_org()),
            "optimize_for": self.optimize_for,
            "policy": self.policy,
            "router": self.router,
            **{name: value for name, value in optional.items() if value is not None},
        }
        return X25Response.from_json((yield from self._call("POST", "/route", self.timeout_s, body)))

    def _decide(self, prompt: str, **given: Any) -> Operation[dict[str, Any]]:
        _check_question(prompt, None)
        said = {name: value for name, value in given.items() if value is not None}
        body = {"org": (yield from self._resolve_org()), "prompt": prompt, **said}
        return (yield from self._call("POST", "/api/route", READ_TIMEOUT_S, body))

    def _feedback(self, call_id: str, **given: Any) -> Operation[dict[str, Any]]:
        body = {"org": (yield from self._resolve_org()), "call_id": call_id}
        said = {name: value for name, value in given.items() if value is not None}
        return (yield from self._call("POST", "/feedback", READ_TIMEOUT_S, body | said))

    def _read(self, path: str) -> Operation[dict[str, Any]]:
        org = quote((yield from self._resolve_org()), safe="")
        return (yield from self._call("GET", path.format(org=org), READ_TIMEOUT_S))


class X25(_Agent[httpx.BaseTransport]):
    """An agent: holds a project's configuration and re-uses it across calls.

    Two forms, told apart by their positional arguments:
    `X25(org, optimize_for, policy, gateway_url, api_key)` with `complete(prompt)`, and
    `X25(api_key, prompt, org)` with `complete()`. The latter is meant when the first argument starts with
    "sk-", or the second is text other than the name of a preset. Key and URL are never read from the
    environment.

    Parameters
    ----------
    org
        Whose learning, savings and audit chain the calls belong to. Absent: the key's own, asked of the
        gateway once, or "default" without a key.
    optimize_for
        Weights of cost, quality and latency, each at least 0, normalised to sum 1; or the name of a preset.
    policy
        Hard constraints, e.g. `{"max_cost_per_call_usd": 0.02}`.
    timeout_s
        Longest wait for the connection, and for the next bytes, of one request.
    transport
        Stands in for the network, as in httpx.

    Raises
    ------
    ValueError
        A weight, the URL, the key or the timeout is not usable.
    """

    def _open(self, transport: httpx.BaseTransport | None) -> None:
        self._client = httpx.Client(transport=transport)

    def complete(  # noqa: PLR0913 - every field of a call by name
        self,
        prompt: str | None = None,
        hint: str | None = None,
        *,
        messages: list[dict[str, Any]] | None = None,
        options: dict[str, Any] | None = None,
        call_id: str | None = None,
        conversation_id: str | None = None,
        memory: dict[str, Any] | None = None,
        cache: str | dict[str, Any] | None = None,
        mode: str | None = None,
        routing_hints: dict[str, Any] | None = None,
        routing_override: dict[str, Any] | None = None,
        user_id: str | None = None,
    ) -> X25Response:
        """Route a prompt, or OpenAI `messages`, to the cheapest model that meets the quality bar.

        Parameters
        ----------
        prompt
            The text; absent, the one given to the constructor.
        hint
            Task type, when known: summary, code, classification, extraction, qa, reasoning, creative or
            general.
        options
            Further OpenAI chat parameters, passed on untouched; the gateway refuses one it does not know.
        call_id
            Your own id for the call, good for one call of the org: the gateway refuses one that was used, so that
            a request sent twice is paid once.
        conversation_id
            Conversation the call belongs to; found by the history in `messages` when absent.
        memory
            ``{"enabled": True, "budget_tokens": 512}`` has earlier calls remembered, ``{"enabled": False}`` refuses it.
        cache
            "exact" has the answer to the very request given again; "near", "fresh", "off": see docs/caching.md.
        mode
            "proxy", "cache" or "full"; the org's own when absent.
        routing_hints
            Steering in words, such as ``{"mode": "fast", "max_tier": "mid"}``; the gateway refuses an unknown key.
        routing_override
            ``{"model": name}``: asked first and its answer kept; others only where it fails. No limit is overridden.
        user_id
            Whose call it is within the org: its history can be listed, and erased, by user.

        Raises
        ------
        ValueError
            There is nothing to route; no request was made.
        BudgetExceeded, QuotaExceeded
            A ceiling of money or of tokens is reached, of the key or the org; nothing was spent.
        RateLimited
            The key or the org asked as often as it may; `retry_after_s` says when to ask again.
        X25Error
            The gateway is not there, late, or answers with another error; see the subclasses.
        """
        named = {"call_id": call_id, "conversation_id": conversation_id, "memory": memory, "user_id": user_id}
        named |= {
            "cache": cache,
            "mode": mode,
            "routing_hints": routing_hints,
            "routing_override": routing_override,
        }
        return self._run(self._complete(prompt, messages, hint=hint, options=options, **named))

    def decide(self, prompt: str, *, user_id: str | None = None, **fields: Any) -> dict[str, Any]:
        """Ask which model a prompt would be sent to; nobody is asked and nothing is spent.

        Parameters
        ----------
        fields
            Further fields of ``POST /api/route``: `config`, `models`, `task`, `completion_threshold` …

        Returns
        -------
        dict
            `id` of the logged decision, `selected` models, `candidates`, `expected_quality`, `cost`, `reason` …
        """
        return self._run(self._decide(prompt, user_id=user_id, **fields))

    def feedback(self, call_id: str, outcome: Outcome | None = None, **given: Any) -> dict[str, Any]:
        """Say how a call's answer turned out; the newest word counts, the same again changes nothing.

        Parameters
        ----------
        outcome
            "good", "bad", or "retracted" to take back what was said; None where a `score` is given.
        given
            `score` (0 to 1), `corrected_answer`, `correct_model`, `note`, `step`.
        """
        return self._run(self._feedback(call_id, outcome=outcome, **given))

    def get_stats(self) -> dict[str, Any]:
        """Fetch the org's sums: calls, cost, savings, quality, latency, models and tiers used."""
        return self._run(self._read("/stats/{org}"))

    def get_stage(self) -> dict[str, Any]:
        """Fetch the org's stage and how far the next one is."""
        return self._run(self._read("/stage/{org}"))

    def verify(self) -> dict[str, Any]:
        """Have the gateway walk the org's audit chain and say whether it is intact."""
        return self._run(self._read("/verify?org={org}"))

    def close(self) -> None:
        """Close the connections; the agent cannot be used afterwards."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _run(self, operation: Operation[T]) -> T:
        try:
            request = next(operation)
            while True:
                with named_failures(request):
                    response = self._client.send(request)
                request = operation.send(response)
        except StopIteration as finished:
            result: T = finished.value
            return result


class AsyncX25(_Agent[httpx.AsyncBaseTransport]):
    """The same agent for asyncio: constructed like `X25`, every operation awaited."""

    def _open(self, transport: httpx.AsyncBaseTransport | None) -> None:
        self._client = httpx.AsyncClient(transport=transport)

    async def complete(  # noqa: PLR0913 - as above
        self,
        prompt: str | None = None,
        hint: str | None = None,
        *,
        messages: list[dict[str, Any]] | None = None,
        options: dict[str, Any] | None = None,
        call_id: str | None = None,
        conversation_id: str | None = None,
        memory: dict[str, Any] | None = None,
        cache: str | dict[str, Any] | None = None,
        mode: str | None = None,
        routing_hints: dict[str, Any] | None = None,
        routing_override: dict[str, Any] | None = None,
        user_id: str | None = None,
    ) -> X25Response:
        """Route a prompt or messages; see `X25.complete`."""
        named = {"call_id": call_id, "conversation_id": conversation_id, "memory": memory, "user_id": user_id}
        named |= {
            "cache": cache,
            "mode": mode,
            "routing_hints": routing_hints,
            "routing_override": routing_override,
        }
        return await self._run(self._complete(prompt, messages, hint=hint, options=options, **named))

    async def decide(self, prompt: str, *, user_id: str | None = None, **fields: Any) -> dict[str, Any]:
        """Ask which model a prompt would be sent to; see `X25.decide`."""
        return await self._run(self._decide(prompt, user_id=user_id, **fields))

    async def feedback(self, call_id: str, outcome: Outcome | None = None, **given: Any) -> dict[str, Any]:
        """Say how a call's answer turned out; see `X25.feedback`."""
        return await self._run(self._feedback(call_id, outcome=outcome, **given))

    async def get_stats(self) -> dict[str, Any]:
        """Fetch the org's sums; see `X25.get_stats`."""
        return await self._run(self._read("/stats/{org}"))

    async def get_stage(self) -> dict[str, Any]:
        """Fetch the org's stage and how far the next one is."""
        return await self._run(self._read("/stage/{org}"))

    async def verify(self) -> dict[str, Any]:
        """Have the gateway walk the org's audit chain and say whether it is intact."""
        return await self._run(self._read("/verify?org={org}"))

    async def close(self) -> None:
        """Close the connections; the agent cannot be used afterwards."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def _run(self, operation: Operation[T]) -> T:
        try:
            request = next(operation)
            while True:
                with named_failures(request):
                    response = await self._client.send(request)
                request = operation.send(response)
        except StopIteration as finished:
            result: T = finished.value
            return result


def _is_quick_start(args: tuple[Any, ...]) -> bool:
    key_comes_first = bool(args) and isinstance(args[0], str) and args[0].startswith("sk-")
    prompt_comes_second = len(args) > 1 and isinstance(args[1], str) and args[1] not in PRESETS
    return key_comes_first or prompt_comes_second


def _normalised_weights(optimize_for: Mapping[str, float] | str) -> dict[str, float]:
    if isinstance(optimize_for, str):
        if optimize_for not in PRESETS:
            raise ValueError(
                f"optimize_for: expected weights or one of {', '.join(PRESETS)}, got {optimize_for!r}"
            )
        optimize_for = PRESETS[optimize_for]
    unknown = optimize_for.keys() - PRESETS["balanced"].keys()
    if unknown:
        raise ValueError(f"optimize_for: expected the keys cost, quality, latency, got {sorted(unknown)}")
    total = math.fsum(optimize_for.values())
    if min(optimize_for.values(), default=0) < 0 or not 0 < total < math.inf:
        raise ValueError(
            f"optimize_for: expected weights of at least 0, one above 0, got {dict(optimize_for)}"
        )
    return {goal: optimize_for.get(goal, 0.0) / total for goal in PRESETS["balanced"]}


def _checked_url(gateway_url: str) -> str:
    parts = urlsplit(gateway_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"gateway_url: expected http://host:port or https://host, got {gateway_url!r}")
    return gateway_url.rstrip("/")


def _authorization(api_key: str | None) -> dict[str, str]:
    if api_key is None:
        return {}
    if not re.fullmatch(r"[!-~]+", api_key):
        raise ValueError(
            "api_key: expected visible ASCII characters only; is there a space or a line break in it?"
        )
    return {"Authorization": f"Bearer {api_key}"}


def _check_question(prompt: str | None, messages: list[dict[str, Any]] | None) -> None:
    if messages is None and (not isinstance(prompt, str) or not prompt.strip()):
        raise ValueError(f"prompt: expected text, here or in the constructor, got {prompt!r}")
    if messages is not None and not messages:
        raise ValueError("messages: expected at least one message, got an empty list")
