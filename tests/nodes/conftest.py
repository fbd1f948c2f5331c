from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from x25.nodes.audit import audit
from x25.nodes.classify import classify
from x25.nodes.dispatch import dispatch
from x25.nodes.estimate_difficulty import estimate_difficulty
from x25.nodes.judge import judge
from x25.nodes.lookup_cache import lookup_cache
from x25.nodes.services import Services
from x25.nodes.stage_check import stage_check
from x25.nodes.thompson_select import thompson_select
from x25.nodes.update_posterior import update_posterior
from x25.state.types import Context

STORY = (
    classify,
    estimate_difficulty,
    thompson_select,
    dispatch,
    judge,
    update_posterior,
    audit,
    stage_check,
)


@pytest.fixture
async def services(settings: Any) -> Any:
    from x25.graph.bootstrap import open_services

    async with open_services(settings, {}) as opened:
        yield opened


@pytest.fixture
def walk(services: Services) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Return a function that walks a request through the nodes up to and with `last`, without escalating."""

    async def until(
        last: str, using: Services | None = None, *, context: Context | None = None, **request: Any
    ) -> Any:
        given = {"prompt": "What is 2 plus 2?", "hint": "qa", **request}
        chosen = using or services
        state = given | await lookup_cache(given, chosen, context or Context())
        for node in () if last == "lookup_cache" else STORY:
            state |= await node(state, chosen)
            if node.__name__ == last:
                break
        return state

    return until


@pytest.fixture
def walk_to_model(walk: Callable[..., Awaitable[dict[str, Any]]]) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Return a function like `walk` whose first model is the provider's only one, and always judged."""

    async def until(last: str, provider: str = "sim-a", using: Services | None = None, **request: Any) -> Any:
        policy = {"allowed_providers": [provider]} | request.pop("policy", {})
        return await walk(last, using, **{"router": "x25-classic", "policy": policy, **request})

    return until
