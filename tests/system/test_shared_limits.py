"""Two gateways that share limits in one Redis server, which then dies."""

import asyncio

import httpx
import pytest

from x25.demo.gateway import gateway_process

pytestmark = pytest.mark.slow


async def test_two_gateways_admit_as_many_as_one_and_go_on_counting_without_redis(
    quick_simulator, redis, tmp_path
):
    settings = {"database_url": f"sqlite+aiosqlite:///{tmp_path}/shared.db", "redis_url": redis.url}
    gateways = [gateway_process(tmp_path / f"g{n}", quick_simulator.url, **settings) for n in range(2)]
    with gateways[0] as one, gateways[1] as other:
        async with (
            httpx.AsyncClient(base_url=one.url, timeout=60) as at_one,
            httpx.AsyncClient(base_url=other.url, timeout=60) as at_other,
        ):
            limits = {"requests_per_minute": 10}
            keys = [
                (await at_one.post("/keys/create", json={"org": "acme", "limits": limits})).json()["api_key"]
                for _ in range(2)
            ]

            async def burst(key):
                answers = await asyncio.gather(*(
                    (at_one, at_other)[n % 2].post(
                        "/route", json={"prompt": f"{n} + 1?"}, headers={"X-API-KEY": key}
                    )
                    for n in range(40)
                ))  # fmt: skip
                assert {one.status_code for one in answers} == {200, 429}
                return sum(one.status_code == 200 for one in answers)

            assert await burst(keys[0]) == 10
            redis.stop()
            assert await burst(keys[1]) == 10
            told = (await at_one.get("/healthz")).json()
            assert "Redis does not answer" in told["degraded"]["limits"]
            assert str(redis.port) not in str(told["degraded"])
