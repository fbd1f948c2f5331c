from x25.graph.rate_counts import counts_in
from x25.state.redis_link import redis_link
from x25.state.redis_slots import RedisSlots
from x25.state.store import open_store


async def test_limits_are_counted_in_the_store_unless_a_server_is_named(redis):
    async with await open_store("sqlite+aiosqlite://") as store, redis_link(redis.url) as link:
        assert counts_in(None, store) is store.rates
        assert isinstance(counts_in(link, store), RedisSlots)
