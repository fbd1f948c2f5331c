"""Models of an org's own: who may register which address, and whether it answers.

Whoever names an address has the gateway send requests there, so that is the operator's to allow. An admin's key, the
command line, and whoever uses an open gateway on loopback may name any; an org's own key only hosts that the operator
listed, and of the gateway's keys only those set aside for it, or it could have any of them sent to itself.
"""

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from ..nodes.org.own_models import spec_of
from ..nodes.services import Services
from ..providers.model_files import parse_model
from ..providers.specs import ModelSpec
from ..state.errors import ConfigError, Forbidden, InvalidRequest, NotFound, ProviderError
from ..state.own_models import OwnModel
from .settings import Settings

DEFAULT_USD_PER_MTOK = 0.01
OWN_KEY_PREFIX = "OWN_MODEL_KEY_"
"""Beginning of the names of environment variables that an org's own key may name."""
PROBE_TIMEOUT_S = 60.0
"""A model may have to be loaded before its first answer."""
PROBE = {"messages": [{"role": "user", "content": "Answer with the word ready."}], "max_tokens": 8}
MOST_MODELS = 20
"""Own models of one org."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What is said of a model."""

    model_id: str
    base_url: str
    key_env: str | None = None
    """Environment variable of the gateway that holds its key; None = it wants none."""
    name: str | None = None
    """What it is called at its address; None = as here."""
    input_usd_per_mtok: float = DEFAULT_USD_PER_MTOK
    output_usd_per_mtok: float = DEFAULT_USD_PER_MTOK
    context_tokens: int = 8_192
    max_output_tokens: int = 2_048
    capabilities: tuple[str, ...] = ()
    held_out_quality: float | None = None
    """Share of held-out prompts it answered well, 0 to 1: what is believed of it before its first call."""

    def content(self, org: str) -> dict[str, Any]:
        """Return it as a registry file would have it."""
        is_free = self.input_usd_per_mtok == self.output_usd_per_mtok == 0
        prices = {
            "input_usd_per_mtok": self.input_usd_per_mtok,
            "output_usd_per_mtok": self.output_usd_per_mtok,
        }
        # Its health is remembered by deployment: another org's model of the same id is another one.
        way = {"name": f"own-{org}", "base_url": self.base_url, "key_env": self.key_env, "model": self.name}
        content = {
            "model_id": self.model_id, "provider": "own", "tier": "slm", "prices": prices, "free": is_free or None,
            "context_tokens": self.context_tokens, "max_output_tokens": self.max_output_tokens,
            "capabilities": list(self.capabilities),
            "deployments": [{key: value for key, value in way.items() if value is not None}],
            "held_out_quality": self.held_out_quality,
        }  # fmt: skip
        return {key: value for key, value in content.items() if value is not None}


def check_address(wanted: Registration, settings: Settings, *, is_operator: bool) -> None:
    """Refuse an address, or a key, that the caller may not have the gateway use.

    Raises
    ------
    InvalidRequest
        The address is none, holds a password, or is nobody's server (link-local, multicast, unspecified).
    Forbidden
        The operator has not allowed it to an org's own key.
    """
    try:
        parts = urlsplit(wanted.base_url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise InvalidRequest(f"base_url is no address: {error}", field="base_url") from error
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise InvalidRequest(
            "base_url must be an address such as http://localhost:8000/v1, without user, query and fragment",
            field="base_url",
        )
    with suppress(ValueError):
        address = ip_address(host)
        address = getattr(address, "ipv4_mapped", None) or address
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            raise InvalidRequest(f"base_url: no model is served at {host}", field="base_url")
    if is_operator:
        return
    allowed = {part.strip().lower() for part in settings.own_model_hosts.split(",") if part.strip()}
    named = host if port is None else f"{host}:{port}"
    if not {host, named} & allowed:
        raise Forbidden(
            f"an org's own key may not register a model at {named}: ask the operator to list the host in "
            "X25_OWN_MODEL_HOSTS, or to register it with an admin's key or x25 improve register"
        )
    if wanted.key_env is not None and not wanted.key_env.startswith(OWN_KEY_PREFIX):
        raise Forbidden(f"an org's own key may name only key variables that begin with {OWN_KEY_PREFIX}")


async def register(services: Services, org: str, wanted: Registration) -> tuple[ModelSpec, bool]:
    """Ask the model for a completion, and give it to the org; the second value says whether its id is new there.

    Raises
    ------
    InvalidRequest
        The id is taken by a model or router of everybody's, a field is wrong, the org has too many, or the model did
        not answer: then with the words of its server.
    """
    own = services.own_models.of(org)
    if wanted.model_id in services.routers or wanted.model_id in services.models:
        raise InvalidRequest(
            f"model_id {wanted.model_id!r} is a model or router that every org has: choose another",
            field="model_id",
        )
    if wanted.model_id not in own and len(own) >= MOST_MODELS:
        raise InvalidRequest(
            f"org {org!r} has {MOST_MODELS} own models already: unregister one", field="model_id"
        )
    content = wanted.content(org)
    try:
        probed = parse_model(
            {key: value for key, value in content.items() if key != "held_out_quality"}, "body"
        )
    except ConfigError as error:
        raise InvalidRequest(str(error), field="body") from error
    await probe(services, probed)
    if wanted.held_out_quality is not None:
        content["held_out_difficulty"] = await services.store.improvements.mean_difficulty(org)
    model = OwnModel(org, wanted.model_id, content, services.now())
    is_new = await services.store.own_models.add(model)
    await services.own_models.refresh(services.store)
    spec = spec_of(model)
    assert spec is not None
    return spec, is_new


async def probe(services: Services, spec: ModelSpec) -> None:
    """Ask for one short completion; InvalidRequest with the server's words where none comes."""
    try:
        await services.gateway.probe(spec, dict(PROBE), timeout_s=PROBE_TIMEOUT_S)
    except ProviderError as error:
        status = "" if error.status is None else f" (HTTP {error.status})"
        raise InvalidRequest(
            f"base_url: the model did not answer{status}: {error.code}: {error}", field="base_url"
        ) from error


async def unregister(services: Services, org: str, model_id: str) -> None:
    """Take a model of the org away, with what was learnt of it; NotFound where it has none of that id."""
    if not await services.store.own_models.remove(org, model_id):
        raise NotFound(f"org {org!r} has registered no model {model_id[:200]!r}")
    await services.own_models.refresh(services.store)
