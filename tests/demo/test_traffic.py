from collections import Counter

import httpx
import pytest

from x25.client import X25Error, X25Response
from x25.demo.gateway import gateway_process
from x25.demo.items import Item, Routed
from x25.demo.traffic import Traffic, send


@pytest.fixture(scope="module")
def gateway_url(simulator, tmp_path_factory):
    with gateway_process(tmp_path_factory.mktemp("gateway"), simulator.url, seed="7") as gateway:
        yield gateway.url


def items(org: str, count: int) -> list[Item]:
    return [Item(f"What is {number} + 1?", "sums", org) for number in range(count)]


@pytest.mark.slow
async def test_every_item_is_routed_once_under_its_own_org(gateway_url: str) -> None:
    seen: list[Routed] = []
    routed = await send(
        items("left", 5) + items("right", 3), Traffic(gateway_url, "balanced", 4),
        score=lambda item, reply: float(len(reply.text) > 0), on_reply=seen.append,
    )  # fmt: skip
    assert routed == seen, "in the order they finished"
    assert sorted((one.item.org, one.item.prompt) for one in routed) == sorted(
        (item.org, item.prompt) for item in items("left", 5) + items("right", 3)
    )
    for org, count in (("left", 5), ("right", 3)):
        async with httpx.AsyncClient(base_url=gateway_url) as client:
            stats = (await client.get(f"/stats/{org}")).json()
        mine = [one for one in routed if one.item.org == org]
        assert stats["total_calls"] == count
        assert stats["total_cost_usd"] == pytest.approx(sum(one.cost_usd for one in mine), abs=1e-12)
        assert stats["model_distribution"] == Counter(one.model_id for one in mine)


@pytest.mark.slow
async def test_a_routed_item_says_what_the_reply_said(gateway_url: str) -> None:
    replies: list[X25Response] = []

    def score(item: Item, reply: X25Response) -> float:
        replies.append(reply)
        return 0.25

    (routed,) = await send(
        [Item("What is 1 + 1?", "sums", "one", router="x25-classic")], Traffic(gateway_url, "cost-first", 1),
        score=score, on_reply=lambda _: None,
    )  # fmt: skip
    (reply,) = replies
    assert (routed.score, routed.judged, routed.stage) == (0.25, True, "Explore")
    assert (routed.model_id, routed.tier, routed.cascade_steps) == (
        reply.model_used,
        reply.tier,
        reply.cascade_steps,
    )
    assert routed.total_usd == reply.cost_usd + reply.judge_cost_usd > reply.cost_usd


async def test_a_gateway_that_is_gone_ends_the_traffic() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await send(
            items("nobody", 3), Traffic("http://127.0.0.1:1", "balanced", 2),
            score=lambda item, reply: 0.0, on_reply=lambda _: None,
        )  # fmt: skip
    assert caught.group_contains(X25Error)
