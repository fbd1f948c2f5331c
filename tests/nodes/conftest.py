import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from x25.graph.execution.binding import BoundNode
from x25.graph.execution.sources import Opened
from x25.graph.memory.messages import to_openai
from x25.graph.memory.nouns import from_json, stage_of, to_json
from x25.graph.memory.turns import begin_run, open_turn
from x25.nodes.audit import audit
from x25.nodes.classify import classify
from x25.nodes.dispatch import dispatch
from x25.nodes.escalate import escalate
from x25.nodes.estimate_difficulty import estimate_difficulty
from x25.nodes.judge import judge
from x25.nodes.lookup_cache import lookup_cache
from x25.nodes.services import Services
from x25.nodes.stage_check import stage_check
from x25.nodes.thompson_select import thompson_select
from x25.nodes.update_posterior import update_posterior
from x25.state.label_counts import NO_FIRST_ANSWER
from x25.state.learning.judge_tables import add_counts, edges_key
from x25.state.types import Context

STORY = (
    lookup_cache,
    classify,
    estimate_difficulty,
    thompson_select,
    dispatch,
    judge,
    update_posterior,
    audit,
    stage_check,
)
NEXT = {node.__name__: following for node, following in pairwise(STORY)}
NODES = {node.__name__: node for node in STORY}


@pytest.fixture
async def services(settings: Any) -> AsyncIterator[Services]:
    from x25.graph.bootstrap import open_services

    async with open_services(settings, {}) as opened:
        yield opened


@pytest.fixture
def walk(services: Services) -> Callable[..., Awaitable[Any]]:
    """Return a function that walks a request through the nodes up to the first visit of `last`.

    As in the graph, every node reads from JSON what those before it wrote as JSON. What comes back is the call at the
    stage that the next node asks for.
    """

    async def until(
        last: str, using: Services | None = None, *, context: Context | None = None, **request: Any
    ) -> Any:
        source, name = Opened(using or services), "lookup_cache"
        given: Any = {"prompt": "What is 2 plus 2?", "hint": "qa", **request}
        turn = open_turn(begin_run(given), keeps_text=True)
        change = await lookup_cache(turn.request, using or services, context or Context())
        memory = to_json(change) | turn.opened(change) | {"messages": to_openai(turn.messages)}
        memory["timings"] = [{"node": "lookup_cache", "ms": 0.1}]
        while name != last:
            name = await escalate(memory) if name == "judge" else NEXT[name].__name__
            update = await BoundNode(NODES[name], source).ainvoke(json.loads(json.dumps(memory)))
            memory |= update | {"timings": memory["timings"] + update["timings"]}
        return from_json(stage_of(NEXT[last]), json.loads(json.dumps(memory)))

    return until


@pytest.fixture
def walk_to_model(walk: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return a function like `walk` whose first model is the provider's only one, and always judged."""

    async def until(last: str, provider: str = "sim-a", using: Services | None = None, **request: Any) -> Any:
        policy = {"allowed_providers": [provider, "sim-judge"]} | request.pop("policy", {})
        return await walk(last, using, **{"router": "x25-classic", "policy": policy, **request})

    return until


@pytest.fixture
def with_decision() -> Callable[..., Any]:
    """Return a function that changes the newest decision of a call."""

    def change(call: Any, **changes: Any) -> Any:
        *before, newest = call.transitions
        return replace(
            call, transitions=(*before, replace(newest, decision=replace(call.decision, **changes)))
        )

    return change


@pytest.fixture
def label_scores(services: Services) -> Callable[..., Awaitable[None]]:
    """Return a function that labels the judge's scores: how many of each bin were right, how many wrong."""

    async def label(right: Sequence[int], wrong: Sequence[int], org: str = "default") -> None:
        def add(connection: Any) -> None:
            edges = edges_key(services.judge_table.edges)
            for score_bin in range(5):
                key = {
                    "org": org, "source": "audit", "model_id": "", "task_cell": "", "judge": "sim/judge-1",
                    "edges": edges, "place": score_bin, "epoch": NO_FIRST_ANSWER,
                }  # fmt: skip
                sums = {"right": right[score_bin], "wrong": wrong[score_bin], "predicted": 0.0}
                add_counts(connection, key, sums)

        await services.store.transact(add)

    return label
