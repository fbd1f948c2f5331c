"""Send items through a gateway over HTTP, as a client would."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..client import AsyncX25, Preset, X25Response
from .items import Item, Routed


@dataclass(frozen=True, slots=True)
class Traffic:
    """How calls reach a gateway."""

    gateway_url: str
    optimize_for: Preset
    concurrency: int
    """Most calls under way at once."""


async def send(
    items: Sequence[Item],
    traffic: Traffic,
    *,
    score: Callable[[Item, X25Response], float],
    on_reply: Callable[[Routed], None],
) -> list[Routed]:
    """Route every item; return them in the order they finished."""
    queue = iter(items)
    done: list[Routed] = []
    agents: dict[tuple[str, str], AsyncX25] = {}

    async def work() -> None:
        for item in queue:
            key = (item.org, item.router)
            if key not in agents:
                agents[key] = AsyncX25(
                    org=item.org,
                    router=item.router,
                    optimize_for=traffic.optimize_for,
                    gateway_url=traffic.gateway_url,
                )
            reply = await agents[key].complete(item.prompt)
            routed = _routed(item, reply, score(item, reply))
            done.append(routed)
            on_reply(routed)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(traffic.concurrency):
                group.create_task(work())
    finally:
        for agent in agents.values():
            await agent.close()
    return done


def _routed(item: Item, reply: X25Response, score: float) -> Routed:
    return Routed(
        item=item,
        score=score,
        cost_usd=reply.cost_usd,
        judge_cost_usd=reply.judge_cost_usd,
        tier=reply.tier,
        model_id=reply.model_used,
        cascade_steps=reply.cascade_steps,
        judged=reply.quality_source == "judge",
        stage=reply.stage["stage_name"],
        latency_ms=reply.latency_ms,
    )
