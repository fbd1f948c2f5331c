"""Generated prompts with computable truth, and what each simulated model answers to them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import httpx

from ..simulator.tasks import generate, is_correct
from .items import Item

ORG = "demo"


def make_items(count: int, seed: int) -> list[Item]:
    """Return `count` prompts of one org, the same for the same seed."""
    return [
        Item(prompt=task.prompt, kind=task.family, org=ORG, truth=str(task.truth))
        for task in generate(seed, count)
    ]


def score(item: Item, text: str) -> float:
    """Return 1.0 for a right answer, 0.0 for a wrong one.

    Raises
    ------
    ValueError
        When the prompt is none of the generator's.
    """
    right = is_correct(item.prompt, text)
    if right is None:
        raise ValueError(f"not a generated prompt: {item.prompt[:80]!r}")
    return float(right)


async def ask_each_model(
    items: list[Item], models: Mapping[str, str], url: str, *, concurrency: int, advance: Callable[[], None]
) -> list[Item]:
    """Return the items with score and cost of every model, asked directly: the baselines are answers, not guesses.

    Parameters
    ----------
    models
        Tier to model id.
    url
        The simulator's.
    advance
        Called once an item.
    """
    gate = asyncio.Semaphore(concurrency)
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:

        async def ask(item: Item) -> Item:
            scores, costs = {}, {}
            async with gate:
                for model_id in models.values():
                    body = {"model": model_id, "messages": [{"role": "user", "content": item.prompt}]}
                    reply = (await client.post("chat/completions", json=body)).raise_for_status().json()
                    scores[model_id] = score(item, reply["choices"][0]["message"]["content"])
                    costs[model_id] = float(reply["usage"]["cost"])
            advance()
            return replace(item, model_to_score=scores, model_to_cost_usd=costs)

        return list(await asyncio.gather(*map(ask, items)))
