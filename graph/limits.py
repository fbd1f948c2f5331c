"""What the settings say of one call, and of what is kept of calls."""

from ..nodes.cache.caches import Bounds, Caches
from ..nodes.services import Limits
from ..providers.embeddings import Encoder
from ..routing.plan.caching import SECONDS_A_DAY, GatewayCaching
from ..state.store import Store
from .estimators import load_near_verifier
from .settings import Settings


def limits_of(settings: Settings) -> Limits:
    """Return the bounds of one call."""
    return Limits(
        attempt_timeout_s=settings.attempt_timeout_s,
        call_deadline_s=settings.call_deadline_s,
        first_token_timeout_s=settings.first_token_timeout_s,
        stream_idle_timeout_s=settings.stream_idle_timeout_s,
        hedge=settings.hedge,
        stream_release_prob=settings.stream_release_prob,
        default_max_output_tokens=settings.default_max_output_tokens,
        max_prompt_chars=settings.max_prompt_chars,
        store_prompts=settings.store_prompts,
        store_inputs=settings.store_inputs,
        memory=settings.memory,
        memory_days=settings.memory_days,
        caching=GatewayCaching(
            settings.mode or None,
            settings.cache,
            settings.cache_ttl_s,
            settings.prompt_days * SECONDS_A_DAY if settings.prompt_days else None,
        ),
        resumable=settings.checkpoints == "sync",
    )


def caches_of(settings: Settings, store: Store, encoder: Encoder) -> Caches:
    """Return where answers are kept to be given again; nothing is, unless a setting, an org or a request asks."""
    bounds = Bounds(settings.cache_org_mb * 1_000_000, settings.cache_mb * 1_000_000)
    return Caches(store.cached_answers, encoder, load_near_verifier, bounds)
