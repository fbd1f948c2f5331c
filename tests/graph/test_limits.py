from x25.graph.limits import caches_of, limits_of
from x25.graph.settings import load_settings
from x25.providers.embeddings import open_encoder
from x25.routing.plan.caching import GatewayCaching
from x25.state.store import open_store


def test_settings_bound_a_call():
    limits = limits_of(load_settings({}, call_deadline_s=7, memory_days=2, checkpoints="sync"))
    assert (limits.call_deadline_s, limits.memory_days, limits.resumable) == (7, 2, True)


def test_caches_are_off_and_no_mode_is_named_until_a_setting_says_so():
    assert limits_of(load_settings({})).caching == GatewayCaching(None, "off", 3600.0)
    asked = load_settings({"X25_MODE": "cache", "X25_CACHE": "exact", "X25_CACHE_TTL_S": "5"})
    assert limits_of(asked).caching == GatewayCaching("cache", "exact", 5.0)
    assert limits_of(load_settings({}, prompt_days=0.5)).caching.words_kept_s == 43_200.0


async def test_sizes_are_in_megabytes():
    async with await open_store("sqlite+aiosqlite://") as store:
        caches = caches_of(load_settings({}, cache_mb=2, cache_org_mb=1), store, open_encoder())
    assert (caches._bounds.org_bytes, caches._bounds.all_bytes) == (1_000_000, 2_000_000)
