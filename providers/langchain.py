"""Any LangChain chat model as a provider: an agent's own models, native vendor dialects."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.utils import convert_to_messages

from ..state.errors import ConfigError, ProviderError, ProviderMalformed, Unsupported
from ..state.types import TIERS, JSONObject, Tier
from .base import Completion, ProviderRequest
from .deltas import Sending, watched
from .library_errors import error_from_langchain
from .specs import Deployment, ModelSpec
from .stream_exchange import as_delta
from .time_limits import within
from .wire.fragments import ToolFragments
from .wire.reply import chat_reply

DEPLOYMENT: Literal["langchain"] = "langchain"
OPTIONS = ("temperature", "max_tokens", "stop", "response_format")
"""Options of the OpenAI body that are passed on, besides `tools` and `tool_choice`; any other is refused."""
STAND_IN_PRICES: dict[Tier, tuple[str, str]] = {
    "slm": ("0.15", "0.60"),
    "mid": ("0.50", "2.00"),
    "frontier": ("3.00", "15.00"),
}
"""US dollars per million input and output tokens, for models whose real prices are not given."""
# LangGraph streams every model called inside a node to the user; an answer nobody has judged yet must not be.
_TAGS = ["nostream"]


class LangChainProvider:
    """Speaks through one chat model per tier. Build them with `max_retries=0`: retries are the gateway's.

    Parameters
    ----------
    models
        The model of each tier.
    options
        What the models call the options of the OpenAI body that they are given, besides tools.
    """

    def __init__(
        self, models: Mapping[Tier, BaseChatModel], options: Mapping[str, str] | None = None
    ) -> None:
        self._models = models
        self._options = dict(zip(OPTIONS, OPTIONS, strict=True)) if options is None else options

    async def complete(self, request: ProviderRequest) -> Completion:
        """Invoke the model of the request's tier with the body's messages, tools and the options named in `OPTIONS`.

        The key of the request is not used: the model holds its own.

        Raises
        ------
        ProviderError
            The member of its family that says what went wrong.
        """
        deployment = request.deployment
        model = self._model_for(request)
        started = time.perf_counter()
        try:
            messages = convert_to_messages(request.body["messages"])
            async with within(request.timeout_s):
                answer = await self._bound(model, request.body).ainvoke(messages, _config(request))
        except Exception as error:  # vendors' libraries share no base class; the cause is kept
            raise error_from_langchain(error, deployment=deployment.name) from error
        return _completion(request, answer, started)

    async def stream(self, request: ProviderRequest, sending: Sending) -> Completion:
        """Stream the model as `complete` invokes it, and send its pieces on.

        Raises
        ------
        ProviderError
            The member of its family that says what went wrong.
        """
        name, model = request.deployment.name, self._model_for(request)
        started = time.perf_counter()
        whole: AIMessage | None = None
        tools = ToolFragments(name)
        try:
            messages = convert_to_messages(request.body["messages"])
            async with watched(sending, request.timeout_s, name) as watch:
                async for chunk in self._bound(model, request.body).astream(messages, _config(request)):
                    whole = chunk if whole is None else whole + chunk
                    await sending.send(_delta(chunk, tools))
                    watch.heard()
                if calls := tools.rest():
                    await sending.send({"tool_calls": calls})
        except ProviderError as error:
            raise _counted(error, whole, sending) from error.__cause__
        except Exception as error:
            failed = error_from_langchain(error, deployment=name)
            raise _counted(failed, whole, sending) from error
        completion = _completion(request, whole, started)
        if calls := tools.calls():  # under the ids that were sent
            completion = replace(completion, message={**completion.message, "tool_calls": calls})
        # Some count the answer alone while it is streamed: a prompt of no tokens is none that was counted.
        if completion.usage is not None and completion.usage.prompt_tokens:
            return completion
        return replace(completion, usage=sending.estimate(completion.message))

    def _model_for(self, request: ProviderRequest) -> BaseChatModel:
        model = self._models.get(request.spec.tier)
        if model is None:
            raise ConfigError(f"no LangChain model is given for tier {request.spec.tier}")
        self._require_known_options(request.body)
        return model

    def _require_known_options(self, body: JSONObject) -> None:
        known = {*self._options, "max_completion_tokens", "tools", "tool_choice", "messages", "model"}
        for name, value in body.items():
            if value is not None and name not in known:
                raise Unsupported(f"a LangChain chat model is not given {name}", parameter=name)

    def _bound(self, model: BaseChatModel, body: JSONObject) -> Any:
        options = {name: body[given] for given, name in self._options.items() if body.get(given) is not None}
        limit = self._options["max_tokens"]
        if limit not in options and body.get("max_completion_tokens") is not None:
            options[limit] = body["max_completion_tokens"]
        if not body.get("tools"):
            return model.bind(**options)
        if body.get("tool_choice") is not None:
            options["tool_choice"] = body["tool_choice"]
        return model.bind_tools(body["tools"], **options)


def _config(request: ProviderRequest) -> Any:
    return {"metadata": {"attempt_id": request.attempt_id}, "tags": _TAGS}


def _delta(chunk: AIMessage, tools: ToolFragments) -> JSONObject:
    """Return a piece of an answer in OpenAI's form; a model that does not stream gives one, the whole."""
    if not isinstance(chunk, AIMessageChunk):
        return as_delta(_message(chunk))
    found = [
        {"index": one["index"], "id": one["id"], "function": {"name": one["name"], "arguments": one["args"]}}
        for one in chunk.tool_call_chunks
    ]
    text, calls = str(chunk.text), tools.add(found)
    return {**({"content": text} if text else {}), **({"tool_calls": calls} if calls else {})}


def _counted(error: ProviderError, whole: AIMessage | None, sending: Sending) -> ProviderError:
    """Return a failure with what was used, where somebody read of the answer or left."""
    if sending.pieces or sending.reader.has_left:
        message = {} if whole is None else {"content": str(whole.text)}
        error.usage = sending.estimate(message)
    return error


def _completion(request: ProviderRequest, answer: Any, started: float) -> Completion:
    deployment = request.deployment
    if not isinstance(answer, AIMessage):
        raise ProviderMalformed(f"{deployment.name} gave {type(answer).__name__} instead of an AIMessage")
    choice = {"message": _message(answer), "finish_reason": _finish_reason(answer)}
    reply = chat_reply({"choices": [choice], "usage": _usage(answer)}, deployment.name, request.body)
    return Completion(
        message=reply.message,
        finish_reason=reply.finish_reason,
        usage=reply.usage,
        model=str(answer.response_metadata.get("model_name") or deployment.upstream_model),
        latency_ms=(time.perf_counter() - started) * 1000.0,
        deployment=deployment.name,
    )


def specs_for(
    models: Mapping[Tier, BaseChatModel], prices: Mapping[Tier, tuple[float, float]] | None = None
) -> list[ModelSpec]:
    """Describe one model per tier, in the order of the ladder.

    Parameters
    ----------
    models
        The model of each tier.
    prices
        US dollars per million input and output tokens by tier; `STAND_IN_PRICES` where absent.

    Raises
    ------
    ConfigError
        A tier does not exist.
    """
    given = prices or {}
    specs = []
    for tier, model_id in _model_ids(models).items():
        price_in, price_out = given.get(tier, STAND_IN_PRICES[tier])
        specs.append(
            ModelSpec(
                model_id=model_id,
                provider=DEPLOYMENT,
                tier=tier,
                input_usd_per_mtok=Decimal(str(price_in)),
                output_usd_per_mtok=Decimal(str(price_out)),
                context_tokens=128_000,
                max_output_tokens=8_192,
                expected_latency_ms={"slm": 700.0, "mid": 1500.0, "frontier": 3000.0}[tier],
                expected_output_tokens=300,
                deployments=(Deployment(DEPLOYMENT, "", _name(models[tier]), dialect=DEPLOYMENT),),
                capabilities=frozenset({"tools", "json_object", "json_schema"}),
            )
        )
    return specs


def _model_ids(models: Mapping[Tier, BaseChatModel]) -> dict[Tier, str]:
    """Return "langchain/<name>" by tier; a name used before gets its tier behind a colon."""
    unknown = [tier for tier in models if tier not in TIERS]
    if unknown:
        raise ConfigError(f"tiers are {', '.join(TIERS)}, got {unknown[0]!r}")
    ids: dict[Tier, str] = {}
    for tier in TIERS:
        if tier in models:
            model_id = f"{DEPLOYMENT}/{_name(models[tier])}"
            ids[tier] = f"{model_id}:{tier}" if model_id in ids.values() else model_id
    return ids


def _name(model: BaseChatModel) -> str:
    named = getattr(model, "model_name", None) or getattr(model, "model", None)
    return named if isinstance(named, str) else type(model).__name__


def _message(answer: AIMessage) -> JSONObject:
    message: JSONObject = {"role": "assistant", "content": str(answer.text)}
    if answer.tool_calls:
        message["content"] = message["content"] or None
        message["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": json.dumps(call["args"])},
            }
            for call in answer.tool_calls
        ]
    return message


def _finish_reason(answer: AIMessage) -> str:
    metadata = answer.response_metadata
    reason = metadata.get("finish_reason") or metadata.get("stop_reason") or metadata.get("stopReason")
    # Many of LangChain's models do not say why they ended.
    return reason if isinstance(reason, str) else "stop"


_FOR_AN_HOUR = "ephemeral_1h_input_tokens"


def _usage(answer: AIMessage) -> JSONObject | None:
    counted = answer.usage_metadata
    if counted is None:
        return None
    reported = answer.response_metadata.get("token_usage") or {}
    details: Mapping[str, Any] = counted.get("input_token_details", {})
    # Where Anthropic says for how long, LangChain leaves the sum at 0.
    written = [
        details.get(name) or 0 for name in ("cache_creation", "ephemeral_5m_input_tokens", _FOR_AN_HOUR)
    ]
    return {
        "prompt_tokens": counted["input_tokens"],
        "completion_tokens": counted["output_tokens"],
        "prompt_tokens_details": {
            "cached_tokens": details.get("cache_read"),
            "cache_write_tokens": sum(written),
            "cache_write_1h_tokens": details.get(_FOR_AN_HOUR),
        },
        "completion_tokens_details": {
            "reasoning_tokens": counted.get("output_token_details", {}).get("reasoning")
        },
        "cost": reported.get("cost"),
    }
