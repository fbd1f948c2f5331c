"""What a vendor says it serves: its `/models`, read for what there is of prices, limits and abilities."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

import httpx

from ..state.errors import ConfigError
from .specs import Modality

TIMEOUT_S = 10.0
MOST_BYTES = 20_000_000
"""A longer list is not read."""
_WAY_TO_CHAT = "/chat/completions"
_TOKENS_PER_MTOK = 1_000_000
_PARAMETER_TO_CAPABILITIES = {
    "tools": ("tools",),
    "response_format": ("json_object",),
    "structured_outputs": ("json_schema",),
    "reasoning": ("reasoning",),
    "top_logprobs": ("logprobs",),  # which presupposes the other parameter
}


@dataclass(frozen=True, slots=True)
class VendorModel:
    """One model of a vendor's list; what the list does not say is None or empty."""

    name: str
    """What the vendor calls it."""
    input_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    modalities: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    cached_input_usd_per_mtok: Decimal | None = None
    audio_input_usd_per_mtok: Decimal | None = None
    reasoning_usd_per_mtok: Decimal | None = None
    usd_per_request: Decimal | None = None
    """What a request costs beside its tokens."""


@dataclass(frozen=True, slots=True)
class VendorList:
    """A vendor's list, and the address it was found at."""

    base_url: str
    models: tuple[VendorModel, ...]

    def find(self, model_id: str) -> VendorModel | None:
        """Return the model of this id, or of what follows the vendor's name in it; None where there is none."""
        names = {one.name: one for one in self.models}
        return names.get(model_id) or names.get(model_id.partition("/")[2])


def trimmed(url: str) -> str:
    """Return a base URL without what is appended to it: a trailing slash, the path of a chat request."""
    return url.rstrip("/").removesuffix(_WAY_TO_CHAT).rstrip("/")


def ask_for_models(url: str, api_key: str | None, client: httpx.Client) -> VendorList:
    """Return what is served at an address, or below its /v1 where it is only there.

    Raises
    ------
    ConfigError
        There is no list there; the sentence says what there is instead.
    """
    base_url = trimmed(url)
    headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
    said = []
    for place in dict.fromkeys((base_url, base_url if base_url.endswith("/v1") else f"{base_url}/v1")):
        answer = _fetch(f"{place}/models", headers, client)
        if not isinstance(answer, str):
            return VendorList(place, tuple(answer))
        said.append(f"{place}/models: {answer}")
    raise ConfigError("; ".join(said))


def _fetch(url: str, headers: Mapping[str, str], client: httpx.Client) -> list[VendorModel] | str:
    """Return the list at an address, or why there is none."""
    try:
        with client.stream("GET", url, headers=headers, timeout=TIMEOUT_S) as response:
            if response.status_code != httpx.codes.OK:
                return f"HTTP {response.status_code}"
            body = b""
            for part in response.iter_bytes():
                body += part
                if len(body) > MOST_BYTES:
                    return f"more than {MOST_BYTES:,} bytes"
            whole = httpx.Response(200, content=body).json()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"{type(error).__name__}: {error}"
    except (ValueError, RecursionError):
        return "no JSON"
    listed = whole.get("data") if isinstance(whole, dict) else None
    if not isinstance(listed, list):
        return "no list of models"
    return [_read(one) for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)]


def _read(entry: Mapping[str, Any]) -> VendorModel:
    pricing, architecture = _mapping(entry.get("pricing")), _mapping(entry.get("architecture"))
    limits = _mapping(entry.get("top_provider"))
    parameters = _texts(entry.get("supported_parameters"))
    capabilities = [name for key in parameters for name in _PARAMETER_TO_CAPABILITIES.get(key, ())]
    modalities = _texts(architecture.get("input_modalities"))
    known = [name for name in modalities if name in get_args(Modality)]
    return VendorModel(
        name=entry["id"],
        input_usd_per_mtok=_price(pricing.get("prompt")),
        output_usd_per_mtok=_price(pricing.get("completion")),
        cached_input_usd_per_mtok=_price(pricing.get("input_cache_read")),
        audio_input_usd_per_mtok=_price(pricing.get("audio")),
        reasoning_usd_per_mtok=_price(pricing.get("internal_reasoning")),
        usd_per_request=_price(pricing.get("request"), 1),
        context_tokens=_count(entry, "context_length", "max_model_len", "context_window"),
        max_output_tokens=_count(limits, "max_completion_tokens") or _count(entry, "max_completion_tokens"),
        modalities=tuple(known),
        capabilities=(*dict.fromkeys(capabilities), *(("vision",) if "image" in known else ())),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _price(usd: Any, times: int = _TOKENS_PER_MTOK) -> Decimal | None:
    """Return dollars per million tokens of a price per token, as OpenRouter and its like write it."""
    try:
        price = Decimal(str(usd)) * times
    except InvalidOperation:
        return None
    return price.normalize() if price.is_finite() and price >= 0 else None


def _count(entry: Mapping[str, Any], *names: str) -> int | None:
    found = next((entry[name] for name in names if entry.get(name)), None)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None
