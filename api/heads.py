"""What a request's headers say of its call, beside its body: conversation, mode, and what caches may do."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from starlette.types import Scope

from ..providers.openai_compatible import GATEWAY_HEADER
from ..routing.plan.caching import check_cache, check_mode, wish_of_header
from ..state.errors import InvalidRequest

CONVERSATION_HEADER = "x-x25-conversation-id"
MODE_HEADER = "x-x25-mode"
MODE_ALIAS = "x-intelligence-mode"
"""The same in another vendor's words."""
CACHE_HEADER = "cache-control"
_GATEWAY = GATEWAY_HEADER.lower().encode()
"""By which a gateway knows a request of its own; another one's may come by."""
MOST_QUOTED = 100
"""How much of a name that nobody knows is repeated, characters."""
_NEAR = 0.8
"""How alike a misspelt name is to the one that was meant, 0 to 1: all begin alike."""
OURS = b"x-x25-"
"""How the headers begin that mean something here alone."""
_NAMES = {name.encode(): name for name in (CONVERSATION_HEADER, MODE_HEADER, MODE_ALIAS, CACHE_HEADER)}


@dataclass(frozen=True, slots=True)
class Heads:
    """The headers that steer a call, as they came."""

    conversation: str | None = None
    mode: str | None = None
    cache_control: str | None = None

    def over(self, conversation_id: str | None, mode: Any, cache: Any) -> dict[str, Any]:
        """Return the fields of a request that the headers and its body name: a header goes before the body.

        Raises
        ------
        InvalidRequest
            When a header is wrong, or both name a conversation, and not the same.
        """
        named = conversation_of_call(conversation_id, self.conversation)
        if self.mode is None and self.cache_control is None and mode is None and cache is None:
            return named
        found: dict[str, Any] = dict(named)
        if (mode := check_mode(self.mode, MODE_HEADER) or mode) is not None:
            found["mode"] = mode
        if (cache := _narrowed(cache, wish_of_header(self.cache_control))) is not None:
            found["cache"] = cache
        return found


NO_HEADS = Heads()


def heads_of(scope: Scope) -> Heads:
    """Return the headers of a request that steer its call.

    Raises
    ------
    InvalidRequest
        For one that begins like ours and is none, and for one that says two things.
    """
    found: dict[str, str] = {}
    for key, value in scope["headers"]:
        name = _NAMES.get(key)
        if name is not None:
            text = value.decode("latin-1")
            if name == CACHE_HEADER and name in found:
                found[name] += (
                    f", {text}"  # a list, which may come in several headers (RFC 9110, section 5.3)
                )
            elif found.setdefault(name, text) != text:
                raise InvalidRequest(f"the header {name} is given twice, with two values", field=name)
        elif key.startswith(OURS) and key != _GATEWAY:
            raise _unknown(key.decode("latin-1"))
    if not found:
        return NO_HEADS
    return Heads(
        found.get(CONVERSATION_HEADER), found.get(MODE_HEADER, found.get(MODE_ALIAS)), found.get(CACHE_HEADER)
    )


def _unknown(name: str) -> InvalidRequest:
    shown, known = name[:MOST_QUOTED], [one for one in _NAMES.values() if one.startswith(OURS.decode())]
    near = get_close_matches(shown, known, n=1, cutoff=_NEAR)
    hint = (
        f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}; all else goes into the body"
    )
    return InvalidRequest(f"the header {shown!r} is not known here; {hint}", field=shown)


async def get_heads(
    request: Request,
    conversation: Annotated[
        str | None,
        Header(alias=CONVERSATION_HEADER, description="Conversation of the call, as the body's conversation_id."),
    ] = None,
    mode: Annotated[
        str | None, Header(alias=MODE_HEADER, description="proxy, cache or full; goes before the body's mode.")
    ] = None,
    other: Annotated[str | None, Header(alias=MODE_ALIAS, description=f"As {MODE_HEADER}.")] = None,
    cache_control: Annotated[
        str | None,
        Header(
            alias=CACHE_HEADER,
            description="no-store: neither look for a kept answer nor keep this one. no-cache: do not look. "
            "max-age: seconds an answer may be old.",
        ),
    ] = None,
) -> Heads:  # fmt: skip
    """Return the same where FastAPI reads the request, and refuse the same."""
    del conversation, mode, other, cache_control  # named, so that they are described
    return heads_of(request.scope)


HeadsDep = Annotated[Heads, Depends(get_heads)]


def conversation_of_call(named: str | None, header: str | None) -> dict[str, str]:
    """Return the field of a request that names its conversation, in the body or in a header; nothing without a name.

    Raises
    ------
    InvalidRequest
        When both name one, and not the same.
    """
    if named is not None and header is not None and named != header:
        raise InvalidRequest(
            f"conversation_id and the header {CONVERSATION_HEADER} name two conversations",
            field="conversation_id",
        )
    one = header if named is None else named
    return {} if one is None else {"conversation_id": one}


def _narrowed(body: Any, header: dict[str, Any] | None) -> Any:
    """Return what a body's `cache` becomes under a header, which narrows it and switches nothing on."""
    if header is None:
        return body
    wish = check_cache(body)
    if "use" in header:
        return {"use": "off" if "off" in (wish.use, header["use"]) else header["use"]}
    ages = [one for one in (wish.max_age_s, header["max_age_s"]) if one is not None]
    return {"use": wish.use, "max_age_s": min(ages)}
