"""Vendors' own APIs through their LangChain integrations: Anthropic, Gemini, Bedrock, Azure.

Each is an extra, loaded at the first request of its dialect. What OpenAI's body says is translated by LangChain; what
it has no word for is refused by name, as in `langchain.py`.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ..state.errors import ConfigError
from ..state.types import TIERS
from .base import Completion, ProviderRequest
from .deltas import Sending
from .langchain import LangChainProvider
from .specs import Dialect

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

MOST_KEPT = 256
"""Chat models kept open, one a deployment and key."""
AZURE_API_VERSION = "2024-10-21"
"""Asked for where a deployment names none (`api-version` among its headers)."""
READ_TIMEOUT_S = 600
"""Longest silence of Bedrock's own client; the gateway's limits come first."""
_REGION = re.compile(r"bedrock-runtime[\w-]*\.([a-z]{2}(?:-[a-z]+)+-\d)\.")
Build = Callable[[ProviderRequest], "BaseChatModel"]


class NativeProvider:
    """Speaks one dialect.

    Parameters
    ----------
    dialect
        Its name.
    build
        Makes the chat model of a request's deployment and key, without retries of its own.
    package
        What is to be installed for it, as an extra of x25.
    options
        What it calls the options of the OpenAI body that it takes.
    """

    def __init__(self, dialect: Dialect, build: Build, package: str, options: Mapping[str, str]) -> None:
        self._dialect = dialect
        self._build = build
        self._package = package
        self._options = options
        self._speakers: OrderedDict[tuple[str, str, str | None], LangChainProvider] = OrderedDict()

    async def complete(self, request: ProviderRequest) -> Completion:
        """Make one request and return its answer, or raise a `ProviderError`."""
        return await (await self._speaker(request)).complete(request)

    async def stream(self, request: ProviderRequest, sending: Sending) -> Completion:
        """Make one request and send its answer on as it comes, or raise a `ProviderError`."""
        return await (await self._speaker(request)).stream(request, sending)

    async def _speaker(self, request: ProviderRequest) -> LangChainProvider:
        deployment = request.deployment
        place = (deployment.base_url, deployment.upstream_model, request.api_key)
        speaker = self._speakers.get(place)
        if speaker is None:
            try:
                model = await asyncio.to_thread(
                    self._build, request
                )  # imports take a second, boto3 reads files
            except ImportError as error:
                raise ConfigError(
                    f"{deployment.name} speaks {self._dialect}: pip install 'x25[{self._package}]'"
                ) from error
            speaker = LangChainProvider(dict.fromkeys(TIERS, model), self._options)
            self._speakers[place] = speaker
        self._speakers.move_to_end(place)
        while len(self._speakers) > MOST_KEPT:
            self._speakers.popitem(last=False)
        return speaker


def native_providers() -> Mapping[str, NativeProvider]:
    """Return a provider of each native dialect, by the dialect's name; nothing is loaded yet."""
    common = {name: name for name in ("temperature", "top_p", "max_tokens", "stop")}
    openai = {
        name: name
        for name in (
            *common,
            "response_format",
            "seed",
            "presence_penalty",
            "frequency_penalty",
            "parallel_tool_calls",
        )
    }
    return {
        "anthropic": NativeProvider("anthropic", _anthropic, "anthropic", common),
        "gemini": NativeProvider("gemini", _gemini, "gemini", common | {"max_tokens": "max_output_tokens"}),
        "bedrock": NativeProvider("bedrock", _bedrock, "bedrock", common),
        "azure": NativeProvider("azure", _azure, "gateway", openai),
    }


def _anthropic(request: ProviderRequest) -> "BaseChatModel":
    from langchain_anthropic import ChatAnthropic  # noqa: PLC0415 - an extra

    deployment = request.deployment
    return ChatAnthropic(
        model=deployment.upstream_model,
        api_key=request.api_key or "",
        base_url=deployment.base_url,
        max_retries=0,
        max_tokens=request.spec.max_output_tokens,
        default_headers=deployment.headers or None,
    )


def _gemini(request: ProviderRequest) -> "BaseChatModel":
    from langchain_google_genai import ChatGoogleGenerativeAI  # noqa: PLC0415 - an extra

    deployment = request.deployment
    return ChatGoogleGenerativeAI(
        model=deployment.upstream_model,
        google_api_key=request.api_key,
        base_url=deployment.base_url,
        additional_headers=deployment.headers or None,
        max_retries=1,  # counts the first request, too
    )


def _bedrock(request: ProviderRequest) -> "BaseChatModel":
    """Build it on a client of its own: LangChain's would leave the key in the environment of the whole process."""
    import boto3  # noqa: PLC0415 - an extra
    from botocore import UNSIGNED  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from langchain_aws import ChatBedrockConverse  # noqa: PLC0415

    deployment, key = request.deployment, request.api_key or ""
    region = _REGION.search(deployment.base_url)
    access, is_pair, secret = key.partition(":")
    config = Config(
        retries={"total_max_attempts": 1},
        read_timeout=READ_TIMEOUT_S,
        **({} if is_pair else {"signature_version": UNSIGNED}),
    )
    client = boto3.session.Session().client(
        "bedrock-runtime",
        endpoint_url=deployment.base_url,
        region_name=region[1] if region else "us-east-1",
        aws_access_key_id=access if is_pair else None,
        aws_secret_access_key=secret if is_pair else None,
        config=config,
    )
    if not is_pair:
        client.meta.events.register("before-sign.bedrock-runtime.*", partial(_bear, key))
    provider = deployment.upstream_model.partition(".")[0]
    return ChatBedrockConverse(
        model_id=deployment.upstream_model,
        client=client,
        bedrock_client=client,
        provider=provider,
        disable_streaming=False,
    )


def _bear(key: str, request: Any, **_: Any) -> None:
    """Put a Bedrock API key where the signature of a pair of keys would be."""
    request.headers["Authorization"] = f"Bearer {key}"


def _azure(request: ProviderRequest) -> "BaseChatModel":
    from langchain_openai import AzureChatOpenAI  # noqa: PLC0415 - takes half a second

    deployment = request.deployment
    headers = {name: value for name, value in deployment.headers.items() if name != "api-version"}
    return AzureChatOpenAI(
        azure_endpoint=deployment.base_url,
        azure_deployment=deployment.upstream_model,
        api_version=deployment.headers.get("api-version", AZURE_API_VERSION),
        api_key=request.api_key,
        max_retries=0,
        default_headers=headers or None,
    )
