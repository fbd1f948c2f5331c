"""Check a request once, at the first node, and fill in its defaults: the same rules at every door."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...state.complaints import nearest_key
from ...state.errors import InvalidRequest, ModelNotFound
from ...state.json_values import check_json
from ...state.names import check_conversation_id, check_org, check_user_id
from ...state.types import TASK_TYPES, TOKEN_LIMITS, Request
from ..answer.checks import response_schema
from ..prompt.tokens import prompt_chars
from .caching import check_cache, check_mode
from .chat_parameters import ROUTER_OWNED, ChatParameters, check_parameters
from .configs import RouterConfig
from .hints import lean, limit, parse_hints, parse_override, start
from .memory import check_memory
from .policy import Policy
from .priceable import check_priceable
from .weights import normalise

ROLES = ("system", "developer", "user", "assistant", "tool", "function")
MEMORY_HIT = "memory_hit"
"""An option for the router, not for the model: the messages hold remembered context that answers part of the prompt."""
LOGPROBS = ("logprobs", "top_logprobs")
MOST_QUOTED = 200
"""How much of a name that nobody knows is repeated, characters."""
FIELDS = frozenset(Request.__annotations__)


def check_messages(request: Mapping[str, Any], max_chars: int) -> list[dict[str, Any]]:
    """Return the chat messages of a request; `prompt` becomes one user message.

    Raises
    ------
    InvalidRequest
        When there is nothing to route, a message has no known role, or the request is longer than `max_chars` without
        the Base64 of what is attached.
    """
    messages = request.get("messages")
    if messages is None:
        prompt = request.get("prompt")
        if not isinstance(prompt, str) or not prompt.strip():
            raise InvalidRequest("prompt must be a text that is not empty", field="prompt")
        messages = [{"role": "user", "content": prompt}]
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("messages must be a list of at least one message", field="messages")
    for index, message in enumerate(messages):
        _check_message(message, f"messages[{index}]")
    if request.get("messages") is not None and request.get("prompt") not in (None, ""):
        raise InvalidRequest("give prompt or messages, not both", field="prompt")
    check_json(messages, "messages")
    size = prompt_chars(messages)
    if size > max_chars:
        raise InvalidRequest(
            f"the request is {size} characters long, at most {max_chars} are accepted", field="prompt"
        )
    return messages


def _check_message(message: object, where: str) -> None:
    """Check what the cascade itself reads of a message; anything else is between caller and model."""
    if not isinstance(message, dict) or message.get("role") not in ROLES:
        raise InvalidRequest(f"{where}.role must be one of {', '.join(ROLES)}", field=f"{where}.role")
    content = message.get("content")
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list) or not all(map(_is_part, content)):
        raise InvalidRequest(
            f"{where}.content must be a text, null, or a list of parts with a type", field=f"{where}.content"
        )


def _is_part(part: object) -> bool:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return False
    return part["type"] != "text" or isinstance(part.get("text"), str)


def check_options(options: object) -> dict[str, Any]:
    """Return the chat parameters to pass on untouched, without what is null, asks for nothing, or is the router's own.

    Raises
    ------
    InvalidRequest
        When `options` is not an object, or holds something that is not a chat parameter or not of its type. JSON
        schemas are left to `check_schemas`.
    """
    given = _given_options(options)
    if given.get("logprobs") is not True:
        # No probabilities are what every model gives; some refuse a request that says so.
        given = {name: value for name, value in given.items() if name not in LOGPROBS}
    return _with_one_limit({key: value for key, value in given.items() if key not in ROUTER_OWNED})


def _given_options(options: object) -> dict[str, Any]:
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise InvalidRequest(f"options must be an object, got {type(options).__name__}", field="options")
    check_json(options, "options")
    return check_parameters(options)


def _with_one_limit(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with one limit on the answer at most: the smaller, where both names of it are given."""
    given = {name: options.pop(name) for name in TOKEN_LIMITS if name in options}
    known = {name: value for name, value in given.items() if value is not None}
    if known:
        # The later name also counts thinking, so a caller who knows it means it.
        options[list(known)[-1]] = min(known.values())
    return options


def named_schemas(options: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the field and the content of each JSON schema that answers to a request are held to."""
    response_format = options.get("response_format") or {}
    if response_format.get("type") == "json_schema":
        schema = response_schema(response_format)
        if schema is not None:
            yield "options.response_format.json_schema.schema", schema
    for index, tool in enumerate(options.get("tools") or ()):
        described = tool.get("function")
        if isinstance(described, Mapping) and described.get("parameters") is not None:
            yield f"options.tools[{index}].function.parameters", described["parameters"]


def check_schemas(options: Mapping[str, Any]) -> None:
    """Check that each JSON schema of a request is one.

    The first one of a process takes a tenth of a second, which a library takes to load, and so may one of the longest:
    call this outside the event loop. One that was checked before takes as long as writing it down.

    Raises
    ------
    InvalidRequest
        Naming the field of the first that is wrong.
    """
    from ..answer.json_schema import schema_problem  # noqa: PLC0415 - few calls name a schema

    for field, schema in named_schemas(options):
        if (problem := schema_problem(schema)) is not None:
            raise InvalidRequest(f"{field} is not a JSON schema: {problem}", field=field)


def check_fields(request: Mapping[str, Any]) -> None:
    """Raise InvalidRequest, which names it, for a field that no request has."""
    unknown = next((name for name in request if name not in FIELDS), None)
    if unknown is not None:
        name = str(unknown)
        hint = nearest_key(name, sorted(FIELDS))
        if name in ChatParameters.__annotations__:
            hint = f"chat parameters go into options: options={{{name!r}: …}}"
        raise InvalidRequest(f"{name} is no field of a request; {hint}", field=name)


def check_hint(hint: object) -> str | None:
    """Return a known task type hint, or None.

    Raises
    ------
    InvalidRequest
        For an unknown hint, listing the known ones.
    """
    if hint is None or (isinstance(hint, str) and hint in (*TASK_TYPES, "general")):
        return hint
    raise InvalidRequest(f"hint must be one of {', '.join(TASK_TYPES)}, general; got {hint!r}", field="hint")


def check_request(
    request: Mapping[str, Any], *, routers: Mapping[str, RouterConfig], max_chars: int
) -> dict[str, Any]:
    """Return the request with defaults filled in and every part checked.

    Parameters
    ----------
    request
        As in `state.types.Request`.
    routers
        The router configs that exist, those of single models included, by name.
    max_chars
        Longest request accepted, characters of JSON.

    Raises
    ------
    InvalidRequest
        Naming the field to change.
    """
    given = {name: value for name, value in request.items() if value is not None}
    router, named = given.get("router", "auto"), given.get("conversation_id")
    if not isinstance(router, str) or router not in routers:
        raise InvalidRequest(
            f"router must be one of {', '.join(sorted(routers))}; got {router!r}", field="router"
        )
    policy = given.get("policy", {})
    check_json(policy, "policy")
    check_json(given.get("routing_hints"), "routing_hints")
    hints, model_id = parse_hints(given.get("routing_hints")), _overriding(given, routers)
    if model_id is not None and routers[router].model_id is not None:
        router = "auto"  # of a model that is overridden nothing is left, so failures go to anybody
    messages, options = check_messages(request, max_chars), check_options(given.get("options"))
    if Policy.parse(policy).bounds_money:
        check_priceable(messages, options)
    weights = normalise(request.get("optimize_for"))
    return {
        "org": check_org(given.get("org", "default")),
        "messages": messages,
        "options": options,
        "memory_hit": bool((given.get("options") or {}).get(MEMORY_HIT)),
        "optimize_for": normalise(lean(weights, hints)) if hints.leans else weights,
        "hint": check_hint(request.get("hint")) or hints.task_hint,
        "policy": limit(policy, hints),
        "router": router,
        "user_id": check_user_id(given.get("user_id")),
        "conversation_id": None if named is None else check_conversation_id(named),
        "memory": check_memory(given.get("memory")),
        "mode": check_mode(given.get("mode")),
        "cache": check_cache(given.get("cache")),
        "start": start(hints, model_id),
    }


def _overriding(given: Mapping[str, Any], routers: Mapping[str, RouterConfig]) -> str | None:
    """Return the id of the model that a request overrides routing with, or None."""
    name = parse_override(given.get("routing_override"))
    if name is None:
        return None
    found = routers.get(name)
    if found is None or found.model_id is None:
        known = [known for known, config in routers.items() if config.model_id is not None]
        raise ModelNotFound(
            f"routing_override.model: there is no model {name[:MOST_QUOTED]!r} here; known: {', '.join(known)}",
            field="routing_override.model",
        )
    return found.model_id


def limit_named(options: Mapping[str, Any]) -> bool:
    """Return whether the caller limits an answer's tokens."""
    return any(options.get(name) for name in TOKEN_LIMITS)


def answer_tokens(options: Mapping[str, Any], default: int, model_limit: int) -> int:
    """Return the most tokens an answer may have: the caller's limit or the default, within the model's."""
    wanted = min((options[name] for name in TOKEN_LIMITS if options.get(name)), default=default)
    return max(1, min(int(wanted), model_limit))
