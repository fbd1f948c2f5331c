"""Where limits of a minute are counted: in Redis where a setting names a server, else in the store."""

from ..state.rates import RateCounts
from ..state.redis_link import RedisLink
from ..state.redis_slots import RedisSlots
from ..state.store import Store


def counts_in(link: RedisLink | None, store: Store) -> RateCounts:
    """Return what counts for all gateways."""
    return store.rates if link is None else RedisSlots(link.client, store.rates)
