import pytest

from x25.graph.access import open_access
from x25.graph.settings import load_settings
from x25.providers.specs import Deployment
from x25.state.errors import ConfigError

ONE = Deployment("one", "https://one.example/v1", "m", ("POOL",))


async def test_the_keys_file_goes_before_the_environment(tmp_path):
    (tmp_path / "keys.env").write_text("POOL=from-the-file\n")
    settings = load_settings({}, keys_file=str(tmp_path / "keys.env"), breaker_failures=3, breaker_rest_s=2.0)
    async with open_access(settings, {"POOL": "from-outside", "OTHER": "kept"}) as access:
        assert access.keyring.next_key(ONE, 0.0).key == "from-the-file"
        assert (access.environ["OTHER"], access.redis) == ("kept", None)
        assert (access.breakers.tolerance.failures, access.breakers.tolerance.rest_s) == (3, 2.0)


async def test_a_redis_that_is_away_stops_no_start():
    async with open_access(load_settings({}, redis_url="redis://127.0.0.1:9/0"), {}) as access:
        assert access.breakers.replicas is not None
        await access.breakers.replicas.exchange()
        assert access.redis.is_away
    assert access.breakers.replicas is None


async def test_a_redis_that_is_none_is_refused_by_name():
    with pytest.raises(ConfigError, match="X25_REDIS_URL"):
        async with open_access(load_settings({}, redis_url="nowhere"), {}):
            pass
