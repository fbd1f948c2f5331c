"""Settings → Services: the only place where real things are constructed, opened and closed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..nodes.cache.caches import Caches
from ..nodes.services import Services
from ..providers.embeddings import open_encoder
from ..providers.gateway import Gateway
from ..providers.judge import LLMJudge, Procedure, load_prompt
from ..providers.keyring import Keyring
from ..providers.langchain import LangChainProvider, specs_for
from ..providers.registry import Registry, load_judges, load_registry, wanted_variables
from ..providers.specs import ModelSpec
from ..providers.wire.client import VendorClient
from ..routing.belief.thompson import DEFAULT_LEARNER, UNJUDGED_LEARNER
from ..routing.plan.configs import RouterConfig
from ..simulator.process import SimulatorProcess
from ..state.errors import ConfigError
from ..state.store import open_store
from ..state.types import Tier
from .access import open_access
from .estimators import load_near_verifier, open_estimators, read_estimators
from .execution.loops import CallersLoop
from .execution.sources import Opened, OpenedOnFirstCall, ServicesSource
from .following import following
from .limits import caches_of, limits_of
from .memory.org_store import OrgStore
from .memory.store_memories import StoreMemories
from .provider_keys import book_of
from .rate_counts import counts_in
from .recovery import holding
from .routers import absent_models, load_routers, with_direct_routers
from .settings import PACKAGE_DIR, Settings, load_settings, read_environment
from .tracing import tracing

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_log = logging.getLogger(__name__)

BUNDLED_MODELS = PACKAGE_DIR / "registry" / "models"
SIMULATED_MODELS = PACKAGE_DIR / "simulator" / "models"
JUDGE_PROMPT = PACKAGE_DIR / "registry" / "prompts" / "judge.yaml"
JUDGES_FILE = PACKAGE_DIR / "registry" / "judges.yaml"

NO_JUDGE = (
    "no judge can be asked: answers are checked but not judged, models are chosen by expected value, and only failed "
    "checks and labels (x25 label) teach; set X25_JUDGE to the id of a model that can be reached"
)
"""What is said at start and in /healthz where nobody judges."""

_simulator = SimulatorProcess()
"""For graphs that open their own services: one for the whole process, started at the first need."""
_starting = asyncio.Lock()


@dataclass(frozen=True)
class Pool:
    """The models of one gateway: who may answer, who may judge, and where they are reached."""

    models: tuple[ModelSpec, ...]
    judges: tuple[ModelSpec, ...]
    reference: ModelSpec
    closed: tuple[ModelSpec, ...] = ()
    """Models that an org's own key may open, and no key here does."""


def services_source(given: Any) -> ServicesSource:
    """Return a source of services for whatever a caller has: services, a source, chat models by tier, or nothing."""
    if isinstance(given, Services):
        return Opened(given)
    if given is None:
        return OpenedOnFirstCall(_open_own)
    if isinstance(given, Mapping):
        return OpenedOnFirstCall(lambda: _open_for(given))
    if hasattr(given, "run") and hasattr(given, "wait"):
        return given  # type: ignore[no-any-return]
    raise ConfigError(f"expected Services or chat models by tier, got {type(given).__name__}")


@asynccontextmanager
async def open_services(
    settings: Settings,
    environ: Mapping[str, str] | None = None,
    simulator: SimulatorProcess | None = None,
) -> AsyncIterator[Services]:
    """Open the store, the model pool, the HTTP client and, without any provider key, a simulator.

    Parameters
    ----------
    environ
        Where provider keys are; None = the environment and `.env`.
    simulator
        One to use where one is needed, started if it is not and left running; None = start and stop an own one.

    Raises
    ------
    ConfigError
        When a file is wrong, or no model can be reached.
    StoreError
        When the database cannot be used.
    """
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(
            await open_store(settings.store_url, synchronous=settings.sqlite_synchronous)
        )
        await stack.enter_async_context(holding(store.lease, settings.lease_s))
        access = await stack.enter_async_context(open_access(settings, environ))
        pool = await _open_pool(settings, access.keyring, stack, simulator)
        client = await stack.enter_async_context(VendorClient())
        tell_call = await stack.enter_async_context(tracing(settings.otel_endpoint))
        gateway = access.gateway(client)
        folder = Path(settings.routers_dir) if settings.routers_dir else None
        estimators = await open_estimators(settings, access.environ, client)
        services = Services(
            store=store,
            counts=counts_in(access.redis, store),
            models={spec.model_id: spec for spec in pool.models},
            reference=pool.reference,
            gateway=gateway,
            encoder=estimators.encoder,
            classifier=estimators.classifier,
            difficulty=estimators.difficulty,
            routers=with_direct_routers(pool.models, await asyncio.to_thread(_routers, pool.models, folder)),
            judge=await asyncio.to_thread(_judge, pool, gateway, settings),
            learner=DEFAULT_LEARNER if pool.judges else UNJUDGED_LEARNER,
            limits=limits_of(settings),
            provider_keys=book_of(settings, (*pool.models, *pool.judges), pool.closed),
            memories=StoreMemories(OrgStore(store.memories, estimators.encoder), estimators.encoder),
            caches=caches_of(settings, store, estimators.encoder),
            tell_call=tell_call,
            rng=np.random.default_rng(settings.seed),
        )
        await stack.enter_async_context(following(services.own_models, store, "own models"))
        await stack.enter_async_context(following(services.provider_keys, store, "provider keys"))
        yield services


def real_pool(settings: Settings, keyring: Keyring) -> Pool | None:
    """Return the pool of real models that a key or a local server opens; None when there is none."""
    registry = load_registry(BUNDLED_MODELS, *settings.model_dirs)
    models = [spec for spec in registry.routable(keyring.has) if not spec.simulated]
    if not models:
        return None
    return Pool(
        tuple(models),
        _real_judges(registry, keyring, settings.judge),
        _reference(registry, models, settings),
        registry.openable(keyring.has),
    )


def simulated_pool(settings: Settings, url: str) -> Pool:
    """Return the simulated pool, aimed at the simulator's URL: the settings' model folders, or the bundled ones."""
    bundled, own = load_registry(SIMULATED_MODELS), load_registry(*settings.model_dirs)
    registry = own if any(spec.simulated for spec in own.models) else bundled
    models = [spec.with_base_url(url) for spec in registry.models if spec.role == "chat" and spec.simulated]
    judges = [spec.with_base_url(url) for spec in bundled.models if spec.role == "judge"]
    return Pool(
        tuple(models),
        () if settings.judge == "none" else tuple(judges),
        _reference(registry, models, settings, bundled.models),
    )


async def _open_pool(
    settings: Settings, keyring: Keyring, stack: AsyncExitStack, simulator: SimulatorProcess | None
) -> Pool:
    if settings.upstream != "simulator":
        pool = await asyncio.to_thread(real_pool, settings, keyring)
        closed = await asyncio.to_thread(_closed_own_models, settings, keyring)
        if pool is not None:
            if closed:
                _log.warning("some of your own models are not asked%s", closed)
            return pool
        if settings.upstream == "real":
            raise ConfigError(
                f"no real model can be reached: set OPENROUTER_API_KEY or another provider's key{closed}"
            )
        _log.warning(
            "no provider key is set: answers come from simulated models; set OPENROUTER_API_KEY for real ones%s",
            closed,
        )
    url = settings.simulator_url
    if not url and simulator is None:
        own = await stack.enter_async_context(SimulatorProcess())
        url = own.url
        stack.callback(asyncio.create_task(own.replace_when_it_ends()).cancel)
    elif not url and simulator is not None:
        async with _starting:
            if not simulator.url:
                await simulator.start()
        url = simulator.url
    return await asyncio.to_thread(simulated_pool, settings, url)


def _routers(models: Sequence[ModelSpec], folder: Path | None) -> dict[str, RouterConfig]:
    """Return the router configs, and warn of models that those of the settings' folder name in vain."""
    routers = load_routers(folder)
    if folder is not None:
        for name, missing in absent_models(models, routers, load_routers()).items():
            # Not refused: an org may bring a key, or a model of its own, by that name later.
            _log.warning(
                "the router %r names what cannot be asked here: %s (x25 models lists what can)",
                name,
                ", ".join(missing),
            )
    return routers


def _closed_own_models(settings: Settings, keyring: Keyring) -> str:
    """Return the end of a sentence that says why no model of the settings' folders can be reached; "" without any."""
    reasons = load_registry(*settings.model_dirs).unroutable(keyring.has)
    return "".join(f"; {model_id}: {reason}" for model_id, reason in reasons.items())


def _real_judges(registry: Registry, keyring: Keyring, wanted: str) -> tuple[ModelSpec, ...]:
    """Return the usable judges, best first: the one asked for, or those of registry/judges.yaml."""
    if wanted == "none":
        return ()
    if wanted != "auto":
        judge = registry.get(wanted)
        if not any(deployment.is_usable(keyring.has) for deployment in judge.deployments):
            wanting = " or ".join(wanted_variables(judge))
            raise ConfigError(f"X25_JUDGE: {wanted} cannot be reached: set {wanting}")
        return (judge,)
    listed = [registry.get(name) for name in load_judges(JUDGES_FILE)]
    return tuple(
        spec for spec in listed if any(deployment.is_usable(keyring.has) for deployment in spec.deployments)
    )


def _reference(
    registry: Registry, models: Sequence[ModelSpec], settings: Settings, known: Sequence[ModelSpec] = ()
) -> ModelSpec:
    """Return the model savings are measured against: the one the settings name, or a frontier model in any case."""
    if settings.reference_model:
        return registry.get(settings.reference_model)
    return _frontier_of(models, [*registry.models, *known])


def _frontier_of(models: Sequence[ModelSpec], known: Sequence[ModelSpec]) -> ModelSpec:
    """Return the reference among `models`; where they have no frontier model, among the others that are `known`."""
    if any(spec.tier == "frontier" for spec in models):
        return Registry.reference(models)
    others = [
        spec
        for spec in known
        if (spec.tier, spec.role, spec.simulated) == ("frontier", "chat", models[0].simulated) and spec.priced
    ]
    return Registry.reference(others or models)


def _judge(pool: Pool, gateway: Gateway, settings: Settings) -> LLMJudge | None:
    if not pool.judges:
        _log.warning(NO_JUDGE)
        return None
    return LLMJudge(pool.judges, gateway, load_prompt(JUDGE_PROMPT), Procedure(settings.judge_timeout_s))


@asynccontextmanager
async def _open_own() -> AsyncIterator[Services]:
    """Open services with the environment's settings, for Studio and scripts."""
    environ = await asyncio.to_thread(read_environment)
    async with open_services(load_settings(environ), environ, _simulator) as services:
        yield services


@asynccontextmanager
async def _open_for(models: "Mapping[Tier, BaseChatModel]") -> AsyncIterator[Services]:
    """Open services around an agent's own chat models, with a store in memory."""
    specs = specs_for(models)
    known = () if "frontier" in models else (await asyncio.to_thread(load_registry, BUNDLED_MODELS)).models
    async with await open_store("sqlite+aiosqlite://") as store:
        estimators = await asyncio.to_thread(lambda: read_estimators(open_encoder()))
        yield Services(
            store=store,
            models={spec.model_id: spec for spec in specs},
            reference=_frontier_of(specs, known),
            gateway=Gateway({"langchain": CallersLoop(LangChainProvider(models))}, Keyring({})),
            encoder=estimators.encoder,
            classifier=estimators.classifier,
            difficulty=estimators.difficulty,
            routers=with_direct_routers(specs, await asyncio.to_thread(load_routers)),
            learner=UNJUDGED_LEARNER,
            caches=Caches(store.cached_answers, estimators.encoder, load_near_verifier),
            memories=StoreMemories(OrgStore(store.memories, estimators.encoder), estimators.encoder),
        )
