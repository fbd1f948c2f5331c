"""One call for every dialect: what a door understood goes through the same cascade, whoever's words it came in."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...graph.run import Cascade
from ...nodes.records.together import PLACE, Place, Together
from ...routing.plan.request import MOST_QUOTED
from ...state.api_key import ApiKey
from ...state.errors import InvalidRequest, ModelNotFound
from ...state.types import DoorContext, JSONObject, Reply
from ..deps import ceilings_of, org_of_call
from ..heads import NO_HEADS, Heads
from ..limits import all_admitted
from ..pieces import Pieces
from ..receipts import note
from ..schemas import Steered, Wishes, given
from .choices import Calls, shared


@dataclass(frozen=True, slots=True)
class Asked:
    """What one call is asked, in a chat's words."""

    messages: list[JSONObject]
    options: Mapping[str, Any]
    pieces: Pieces | None = None
    """Who is sent the answer while its model writes it, where nothing can come in its place; see `reader_of`."""


async def begin_chat(  # noqa: PLR0913 - what a door says beside the body
    cascade: Cascade,
    key: ApiKey | None,
    body: Steered,
    *,
    messages: list[JSONObject],
    options: Mapping[str, Any],
    heads: Heads = NO_HEADS,
    pieces: Pieces | None = None,
) -> asyncio.Task[Reply]:
    """Begin the call that a body asks for, once it is known what it says in OpenAI's chat words; see `begin_chats`."""
    return (await begin_chats(cascade, key, body, [Asked(messages, options, pieces)], heads))[0]


async def begin_chats(
    cascade: Cascade,
    key: ApiKey | None,
    body: Steered,
    asked: Sequence[Asked],
    heads: Heads = NO_HEADS,
) -> Calls:
    """Begin the calls that a body asks for: one, or several that share its cost cap.

    Parameters
    ----------
    heads
        What its headers say.

    Raises
    ------
    ModelNotFound
        When no router and no model goes by the name of its `model`.
    InvalidRequest
        When it steers twice, beside the parameters and in `x25`.
    TooManyRequests
        When its key or its org has no room for all of them; none is begun then.
    """
    model = "auto" if body.model is None else body.model
    wishes = body.x25 or Wishes()
    org = org_of_call(key, wishes.org)
    require_name(model, cascade.services.routers_of(org))
    steering, is_direct = _steering(body, wishes, heads)
    if len(asked) > 1:
        steering = shared(steering, len(asked))
    # Of the explanation a chat is told what did not work; the rest is for whoever reads checkpoints.
    context = DoorContext(
        explain=cascade.settings.keeps_text,
        imposed=ceilings_of(key),
        is_counted=True,
        **({"max_escalations": 0} if is_direct else {}),
    )
    leaves = await all_admitted(cascade, key, org, [(one.messages, one.options) for one in asked])
    calls, together = Calls(), Together(len(asked))
    for one, leave in zip(asked, leaves, strict=True):
        said = {"messages": one.messages, "options": dict(one.options), "router": model, "org": org}
        place = Place(together) if len(asked) > 1 else None
        PLACE.set(place)  # the task of the call begins with what is set here
        call = cascade.begin({**steering, **said}, context, one.pieces)  # type: ignore[typeddict-item]
        calls.add(call)
        if place is not None:
            call.add_done_callback(place.left)
        leave.follow(call)
    note(org=org, call_id=calls[0].get_name())
    return calls


def _steering(body: Steered, wishes: Wishes, heads: Heads) -> tuple[dict[str, Any], bool]:
    """Return how a body and its headers steer, and whether its first answer is to be kept."""
    steering = given(wishes)
    is_direct = steering.pop("stream_mode", None) == "direct"
    for name in ("routing_hints", "routing_override"):
        said = getattr(body, name)
        if said is not None and name in steering:
            raise InvalidRequest(f"give {name} or x25.{name}, not both", field=name)
        if said is not None:
            steering[name] = said
    return steering | heads.over(wishes.conversation_id, wishes.mode, wishes.cache), is_direct


def reader_of(body: Steered) -> Pieces | None:
    """Return who reads the answer while its model writes it; None where it is to be whole, or to be judged first.

    Raises
    ------
    InvalidRequest
        When it says how to stream, and not that.
    """
    mode = None if body.x25 is None else body.x25.stream_mode
    if mode is not None and not body.stream:
        raise InvalidRequest("x25.stream_mode needs stream: true", field="x25.stream_mode")
    return Pieces() if body.stream and mode != "judged" else None


def require_name(model: str, known: Collection[str]) -> None:
    """Raise ModelNotFound, which lists those there are, for a name that none of `known` is."""
    if model not in known:
        raise ModelNotFound(f"there is no model {model[:MOST_QUOTED]!r} here; known: {', '.join(known)}")
