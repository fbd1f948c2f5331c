import sys

import pytest

from x25.state.errors import ConfigError
from x25.state.redis_link import redis_link


async def test_without_a_url_there_is_none():
    async with redis_link("") as link:
        assert link is None


async def test_one_that_is_away_stops_no_start_and_is_complained_of_once(caplog):
    async with redis_link("redis://127.0.0.1:9/0") as link:
        assert [await link.ask(link.client.ping()) for _ in range(3)] == [None, None, None]
        assert link.is_away
    assert sum("redis_away" in one.message for one in caplog.records) == 1


async def test_it_answers_goes_away_and_comes_back(redis, caplog):
    async with redis_link(redis.url) as link:
        assert await link.ask(link.client.ping()) is True
        redis.stop()
        assert await link.ask(link.client.ping()) is None
        redis.start()
        assert await link.ask(link.client.ping()) is True
        assert not link.is_away
    assert "redis_back" in caplog.text


async def test_what_is_no_redis_is_refused_by_name():
    with pytest.raises(ConfigError, match="X25_REDIS_URL"):
        async with redis_link("http://localhost"):
            pass


async def test_without_redis_py_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ConfigError, match=r"x25\[redis\]"):
        async with redis_link("redis://localhost"):
            pass
