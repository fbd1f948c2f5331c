"""What a request is told whose path, or method, nobody serves: most often a base URL is one part too long or short."""

import asyncio
from collections.abc import Iterable
from difflib import get_close_matches

from fastapi import FastAPI

MOST_QUOTED = 100
"""How much of a path that nobody knows is repeated, characters."""
_NEAR = 0.7
"""How alike a misspelt path is to the one that was meant, 0 to 1."""


async def nowhere(app: FastAPI, path: str) -> str:
    """Return the sentence for a path that nobody serves, with the one that was probably meant."""
    said = f"there is no {path[:MOST_QUOTED]!r} here"
    meant = _meant(path.rstrip("/"), await _served(app))
    return f"{said}; did you mean {meant!r}?" if meant else f"{said}; /openapi.json lists what there is"


def not_that_way(method: str, path: str, allowed: str) -> str:
    """Return the sentence for a method that a path does not take; `allowed` as in the header `Allow`."""
    return f"{path[:MOST_QUOTED]!r} does not take {method[:MOST_QUOTED]}" + (
        f", but {allowed}" if allowed else ""
    )


async def _served(app: FastAPI) -> list[str]:
    """Return the paths that are served and described, without those that name something of a caller's."""
    # Made once, at the first request that needs it, which takes a while.
    described = app.openapi() if app.openapi_schema else await asyncio.to_thread(app.openapi)
    return sorted(path for path in described["paths"] if "{" not in path)


def _meant(path: str, served: Iterable[str]) -> str | None:
    """Return the longest path that ends as this one does or the other way round; else the most alike."""
    served = list(served)
    if path.strip("/"):
        ends = [one for one in served if one.strip("/") and (path.endswith(one) or one.endswith(path))]
        if ends:
            return max(ends, key=len)
    return next(iter(get_close_matches(path[:MOST_QUOTED], served, n=1, cutoff=_NEAR)), None)
