"""The gateway inside another application: under a prefix, opened and closed with it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from ..graph.settings import Settings
from .app import create_app


def mount(parent: FastAPI, prefix: str, settings: Settings | None = None) -> FastAPI:
    """Serve every door of a gateway below `prefix` of an application of yours, and return the gateway's own one.

    It is opened before whatever the parent opens at start-up, and closed after it. Call this before the parent is
    served. Its middlewares see requests below the prefix alone, and the parent's see all.

    Parameters
    ----------
    prefix
        Such as "/x25"; an SDK's `gateway_url` then ends in it.
    settings
        As of `create_app`.

    Raises
    ------
    ValueError
        When the prefix does not begin with "/", or ends in one.
    """
    if not prefix.startswith("/") or prefix.endswith("/"):
        raise ValueError(f"prefix must begin with '/' and not end in one, got {prefix!r}")
    app = create_app(settings)
    parents = parent.router.lifespan_context

    @asynccontextmanager
    async def lifespan(served: Any) -> AsyncIterator[Mapping[str, Any] | None]:
        async with app.router.lifespan_context(app), parents(served) as state:
            yield state

    parent.router.lifespan_context = lifespan  # type: ignore[assignment]  # a state may be none
    parent.mount(prefix, app)
    return app
