"""Refuse what a request says that its door does not know: left out, it may mean more than was asked.

One dependency of every door that is ours; `app.OTHERS` are the rest. What a door knows behind the "?" is what it
publishes of itself, so that what is described and what is taken are the same.
"""

import asyncio
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from fastapi import FastAPI, Request

from ..state.errors import InvalidRequest
from .bodies import BODY
from .heads import heads_of

MOST_QUOTED = 100
"""How much of a name that nobody knows is repeated, characters."""
_NEAR = 0.5
"""How alike a misspelt name is to the one that was meant, 0 to 1."""
WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE"})
"""Methods of doors that take no body."""
_NOTHING = frozenset({b"", b"{}", b"null"})
"""Bodies that some clients send and that say nothing."""


async def refuse_unknown_parts(request: Request) -> None:
    """Check what a request says beside its path: the names behind the "?", headers of ours, and a body.

    Raises
    ------
    InvalidRequest
        When its door knows no query parameter of that name, which it says with the nearest that it knows; when one is
        given twice of which the door reads one; when it has a body that nobody reads; or a header as in `heads_of`.
    """
    heads_of(request.scope)
    if request.method in WITHOUT_BODY and request.scope.get(BODY, b"").strip() not in _NOTHING:
        raise InvalidRequest("this door takes no body: say it behind the '?'", field="body")
    given = [name for name, _ in request.query_params.multi_items()]
    if not given:
        return
    door = await _door(request)
    taken = {one["name"]: one for one in door.get("parameters", ()) if one["in"] == "query"}
    for place, name in enumerate(given):
        if name not in taken:
            raise InvalidRequest(_unknown(name, list(taken), door), field=name)
        if name in given[:place] and not _is_list(taken[name]["schema"]):
            raise InvalidRequest(f"query parameter {name!r} is given more than once", field=name)


async def _door(request: Request) -> Mapping[str, Any]:
    """Return what the application describes of the operation that a request is for; nothing of a hidden one."""
    app: FastAPI = request.app
    # Made once, at the first request that has a query, which takes a while.
    described = app.openapi() if app.openapi_schema else await asyncio.to_thread(app.openapi)
    path = getattr(request.scope["route"], "path_format", "")
    found: Mapping[str, Any] = described["paths"].get(path, {}).get(request.method.lower(), {})
    return found


def _unknown(name: str, known: list[str], door: Mapping[str, Any]) -> str:
    said = f"query parameter {name[:MOST_QUOTED]!r} is not known here"
    near = [one for one in known if one.startswith(name)] or get_close_matches(name, known, n=1, cutoff=_NEAR)
    if near:
        return f"{said}; did you mean {near[0]!r}?"
    if known:
        return f"{said}; known are {', '.join(known)}"
    return f"{said}; this door takes none{', but a body' if 'requestBody' in door else ''}"


def _is_list(schema: Mapping[str, Any]) -> bool:
    return any(one.get("type") == "array" for one in (schema, *schema.get("anyOf", ())))
