"""The chat parameters that are passed on to a model: each by name and type; anything else is refused, never dropped.

An explicit list, because the words that aggregators and proxies understand (`models`, `provider`, `fallbacks`,
`api_base`, …) would send a request to models that no policy allowed and no reservation covers.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict  # pydantic reads no other below Python 3.12

from ...state.complaints import complain
from ...state.errors import InvalidRequest
from .thinking_parameters import Effort, Reasoning, Thinking, ThinkingTokens
from .tool_forms import usual_tools, without_idle_tools

MOST_TOOLS = 512
MOST_STOPS = 64
MOST_BIASES = 1_024
MOST_NAME_CHARS = 256
MOST_METADATA = 64
MOST_TOP_LOGPROBS = 20
"""As many as OpenAI documents."""
_NEAR = 0.75
"""How alike a misspelt name is to the one that was meant, 0 to 1."""

ToolKind = Literal["function", "custom"]
"""Kinds of tools that the caller runs. Tools that a vendor runs itself cost more than tokens, which no cap bounds."""


_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Temperature = Annotated[_Finite, Field(ge=0, le=2, description="a number from 0 to 2")]
_Share = Annotated[_Finite, Field(ge=0, le=1, description="a number from 0 to 1")]
_Penalty = Annotated[_Finite, Field(ge=-2, le=2, description="a number from -2 to 2")]
_Seed = Annotated[int, Field(ge=-(2**63), lt=2**63, description="a whole number of at most 64 bits")]
_Tokens = Annotated[int, Field(ge=1, lt=2**31, description="a whole number of at least 1")]
_Candidates = Annotated[int, Field(ge=-1, lt=2**31, description="a whole number of at least -1")]
_Text = Annotated[
    str, Field(max_length=MOST_NAME_CHARS, description=f"text of at most {MOST_NAME_CHARS} characters")
]
_Name = Annotated[
    str,
    Field(
        min_length=1, max_length=MOST_NAME_CHARS, description=f"a name of 1 to {MOST_NAME_CHARS} characters"
    ),
]
_Switch = Annotated[bool, Field(description="true or false")]
_Texts = Annotated[list[str], Field(max_length=MOST_STOPS)]
_Object = Annotated[dict[str, Any], Field(description="an object")]
_Seen = with_config(ConfigDict(strict=True, extra="allow"))
"""Of nested objects the router reads the named keys; the others are between caller and model."""


@_Seen
class Function(TypedDict, total=False):
    """A function that a model may call."""

    name: Annotated[_Name, Field(description="a name")]
    description: Annotated[str | None, Field(description="text")]
    parameters: Any
    """A JSON schema, which `check_schemas` looks at."""
    strict: Annotated[bool | None, Field(description="true or false")]


@_Seen
class CustomTool(TypedDict, total=False):
    """A tool that takes free text."""

    name: Annotated[_Name, Field(description="a name")]
    description: Annotated[str | None, Field(description="text")]
    format: Annotated[_Object | None, Field(description="an object")]


@_Seen
class Tool(TypedDict, total=False):
    """One entry of `tools`."""

    type: Annotated[ToolKind, Field(description="function or custom: tools that the caller runs")]
    function: Annotated[Function, Field(description="an object with the name of a function")]
    custom: Annotated[CustomTool, Field(description="an object with the name of a tool")]


@_Seen
class NamedFunction(TypedDict):
    """A function chosen by the caller."""

    name: Annotated[_Name, Field(description="a name")]


@_Seen
class ChosenFunction(TypedDict):
    """A function that must be called."""

    type: Literal["function"]
    function: NamedFunction


@_Seen
class ChosenTool(TypedDict):
    """A custom tool that must be called."""

    type: Literal["custom"]
    custom: NamedFunction


@_Seen
class AllowedTools(TypedDict):
    """The tools that may be called, of those described."""

    type: Literal["allowed_tools"]
    allowed_tools: _Object


@_Seen
class NamedSchema(TypedDict, total=False):
    """The schema of an answer."""

    name: Annotated[_Name, Field(description="a name")]
    description: Annotated[str | None, Field(description="text")]
    schema: Any
    """Looked at by `check_schemas`."""
    strict: Annotated[bool | None, Field(description="true or false")]


@_Seen
class ResponseFormat(TypedDict, total=False):
    """The form of an answer."""

    type: Annotated[
        Literal["text", "json_object", "json_schema", "grammar", "python"],
        Field(description="text, json_object or json_schema"),
    ]
    json_schema: Annotated[NamedSchema | None, Field(description="an object with name and schema")]


@_Seen
class Audio(TypedDict):
    """How an audio answer sounds."""

    voice: Annotated[_Name | dict[str, Any], Field(description="the name of a voice")]
    format: Annotated[_Name, Field(description="a name such as wav or mp3")]


@_Seen
class Prediction(TypedDict):
    """What the caller expects the answer to be."""

    type: Annotated[Literal["content"], Field(description="content")]
    content: Annotated[str | list[dict[str, Any]], Field(description="a text, or a list of parts")]


@with_config(ConfigDict(strict=True, extra="forbid"))
class ChatParameters(TypedDict, total=False):
    """Every parameter that may be passed on, as OpenAI documents it or most servers of open models understand it."""

    max_tokens: _Tokens
    max_completion_tokens: _Tokens
    temperature: _Temperature
    top_p: _Share
    top_k: _Candidates
    min_p: _Share
    top_a: _Share
    typical_p: _Share
    frequency_penalty: _Penalty
    presence_penalty: _Penalty
    repetition_penalty: _Temperature
    seed: _Seed
    stop: Annotated[str | _Texts, Field(description=f"a text, or a list of at most {MOST_STOPS} texts")]
    logit_bias: Annotated[
        dict[str, Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]],
        Field(max_length=MOST_BIASES, description="an object of token ids with numbers from -100 to 100"),
    ]
    n: Annotated[
        int,
        Field(
            ge=1, le=1, description="1: a call brings one answer; chats and completions make several calls"
        ),
    ]
    logprobs: _Switch
    top_logprobs: Annotated[
        int, Field(ge=0, le=MOST_TOP_LOGPROBS, description=f"a whole number from 0 to {MOST_TOP_LOGPROBS}")
    ]
    stream: Annotated[
        Literal[False], Field(description="false: streaming is asked for at /v1/chat/completions")
    ]
    tools: Annotated[
        list[Tool], Field(max_length=MOST_TOOLS, description=f"a list of at most {MOST_TOOLS} objects")
    ]
    tool_choice: Annotated[
        Literal["none", "auto", "required"] | ChosenFunction | ChosenTool | AllowedTools,
        Field(description="none, auto, required, or an object that names a tool"),
    ]
    parallel_tool_calls: _Switch
    functions: Annotated[list[Function], Field(max_length=MOST_TOOLS, description="a list of objects")]
    function_call: Annotated[
        Literal["none", "auto"] | NamedFunction,
        Field(description="none, auto, or an object that names a function"),
    ]
    response_format: Annotated[ResponseFormat, Field(description="an object")]
    reasoning_effort: Effort
    reasoning: Annotated[Reasoning, Field(description="an object with effort or max_tokens")]
    include_reasoning: _Switch
    thinking: Annotated[Thinking, Field(description="an object with a type")]
    enable_thinking: _Switch
    thinking_budget: ThinkingTokens
    chat_template_kwargs: _Object
    verbosity: Annotated[Literal["low", "medium", "high"], Field(description="low, medium or high")]
    modalities: Annotated[
        list[Literal["text", "audio"]],
        Field(min_length=1, max_length=2, description="a list of text and audio"),
    ]
    audio: Annotated[Audio, Field(description="an object with voice and format")]
    prediction: Annotated[Prediction, Field(description="an object with type content and its content")]
    service_tier: Annotated[
        Literal["auto", "default", "flex", "priority", "scale"],
        Field(description="auto, default, flex, priority or scale"),
    ]
    store: _Switch
    metadata: Annotated[
        dict[str, Annotated[str, Field(max_length=512)]],
        Field(max_length=MOST_METADATA, description=f"an object of at most {MOST_METADATA} short texts"),
    ]
    user: _Text
    safety_identifier: _Text
    prompt_cache_key: _Text
    prompt_cache_retention: Annotated[
        Literal["in_memory", "in-memory", "24h"], Field(description="in_memory or 24h")
    ]
    memory_hit: _Switch


_FORMAT: TypeAdapter[ChatParameters] = TypeAdapter(ChatParameters)
ROUTER_OWNED = ("n", "stream", "memory_hit")
"""Parameters that say something to the router, and nothing to a model."""


def check_parameters(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a caller gave; one that is null or about tools that are not there counts as not given.

    Raises
    ------
    InvalidRequest
        Naming the first that is not known, or not of the type or range it must have.
    """
    given = usual_tools({name: value for name, value in options.items() if value is not None})
    unknown = [name for name in given if name not in ChatParameters.__annotations__]
    if unknown:
        raise _unknown(unknown[0])
    try:
        _FORMAT.validate_python(given)
    except ValidationError as error:
        wrong = complain(error.errors(include_url=False), _FORMAT.json_schema(), given)
        field = f"options.{wrong.place}"
        raise InvalidRequest(f"{field} must be {wrong.expected}, got {wrong.got}", field=field) from error
    if given.get("top_logprobs") and given.get("logprobs") is not True:
        raise InvalidRequest(
            "options.top_logprobs needs options.logprobs to be true", field="options.top_logprobs"
        )
    for index, tool in enumerate(given.get("tools") or ()):
        kind = tool.get("type", "function")
        if "name" not in (tool.get(kind) or {}):
            field = f"options.tools[{index}].{kind}.name"
            raise InvalidRequest(f"{field} must be a name, got nothing", field=field)
    _check_choice(given)
    wanted = given.get("response_format") or {}
    if wanted.get("type") == "json_schema" and not wanted.get("json_schema"):
        field = "options.response_format.json_schema"
        raise InvalidRequest(f"{field} must be an object with name and schema, got nothing", field=field)
    return without_idle_tools(given)


def _check_choice(given: Mapping[str, Any]) -> None:
    """Refuse a choice of a tool that is not there; every vendor would, in words of its own."""
    choice = given.get("tool_choice")
    named = choice.get(choice["type"]) if isinstance(choice, Mapping) else None
    is_name = isinstance(named, Mapping) and "name" in named  # of several allowed ones vendors judge
    if choice != "required" and not is_name:
        return
    tools = given.get("tools") or ()
    names = [(tool.get(tool.get("type", "function")) or {}).get("name") for tool in tools]
    field = "options.tool_choice"
    if not names:
        raise InvalidRequest(f"{field} wants a tool called, and options.tools has none", field=field)
    if is_name and named["name"] not in names:  # type: ignore[index]
        raise InvalidRequest(
            f"{field} names {named['name']!r}, and options.tools has no such tool",  # type: ignore[index]
            field=field,
        )


def _unknown(name: object) -> InvalidRequest:
    if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME_CHARS:
        return InvalidRequest("options must be an object whose keys are names of parameters", field="options")
    known = [*ChatParameters.__annotations__]
    near = get_close_matches(name, known, n=1, cutoff=_NEAR)
    hint = f"did you mean {near[0]!r}?" if near else f"those that are passed on: {', '.join(known)}"
    return InvalidRequest(f"options.{name} is no parameter of this gateway; {hint}", field=f"options.{name}")
