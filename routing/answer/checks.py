"""Free checks of an answer's structure: what is plainly unusable needs no judge.

Every check reads the OpenAI assistant message in time linear in its length, or stops after `work.UNITS`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..prompt.tokens import content_text
from .code_blocks import broken_block, find_blocks, parse_json
from .plain_json import wants_json
from .refusals import is_refusal
from .work import Work

Finding = str | None
"""Why a check failed, or None."""
_OTHER_CONTENT = ("refusal", "audio", "images", "function_call")


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The checks made, in order; the first that failed ends the list."""

    made: tuple[str, ...]
    failed: str | None = None
    reason: str | None = None
    """What is wrong, as a sentence."""


def run_checks(
    message: Mapping[str, Any],
    finish_reason: str | None,
    options: Mapping[str, Any],
    *,
    asked: str = "",
    is_cut_by_limit: bool = False,
) -> CheckReport:
    """Return which checks an OpenAI assistant message passed.

    "not_empty", "not_cut_off" and "not_refused" always; "json_valid" where the request names a JSON response
    format; "tool_arguments" where tools are called; "code_parses" where Python or JSON stands in a fence. Of an
    answer cut by somebody else's limit nothing is checked: what it lacks is no fault of the model.

    Parameters
    ----------
    options
        Those of the request.
    asked
        Texts of its system and newest user messages; words of refusal that were asked for are none.
    is_cut_by_limit
        Whether it ended at a limit that caller or router set; see `state.answers.Answer`.
    """
    if is_cut_by_limit:
        return CheckReport(())
    made: list[str] = []
    for name, check in _checks_of(message, finish_reason, options, asked):
        made.append(name)
        if (reason := check()) is not None:
            return CheckReport(tuple(made), name, reason)
    return CheckReport(tuple(made))


def _checks_of(
    message: Mapping[str, Any],
    finish_reason: str | None,
    options: Mapping[str, Any],
    asked: str,
) -> list[tuple[str, Callable[[], Finding]]]:
    text = content_text(message.get("content"))
    calls = message.get("tool_calls") or []
    response_format = options.get("response_format") or {}
    work = Work()
    checks: list[tuple[str, Callable[[], Finding]]] = [
        (
            "not_empty",
            lambda: "the answer has neither text nor tool calls" if says_nothing(message) else None,
        ),
        (
            "not_cut_off",
            lambda: "the answer was cut off at its token limit" if finish_reason == "length" else None,
        ),
        ("not_refused", lambda: _refused(message, text, asked)),
    ]
    if wants_json(options) and not calls:
        checks.append(("json_valid", lambda: _json_wrong(text, response_format, work)))
    if calls:
        offered = offered_tools(options)
        checks.append(("tool_arguments", lambda: _first(_call_wrong(call, offered, work) for call in calls)))
    if blocks := list(find_blocks(text)):
        checks.append(("code_parses", lambda: broken_block(blocks, asked)))
    return checks


def _first(findings: Iterator[Finding]) -> Finding:
    return next((finding for finding in findings if finding is not None), None)


def says_nothing(message: Mapping[str, Any]) -> bool:
    """Return whether an answer holds no words, no tool calls, nor anything else that can be one."""
    # A refusal in its own field comes without content; another check names it.
    is_other = any(message.get(name) for name in ("tool_calls", *_OTHER_CONTENT))
    return not is_other and not content_text(message.get("content")).strip()


def _refused(message: Mapping[str, Any], text: str, asked: str) -> Finding:
    if message.get("refusal"):
        return "the model refused"
    return f"the model refused: {text.strip()[:80]!r}" if is_refusal(text, asked) else None


def _json_wrong(text: str, response_format: Mapping[str, Any], work: Work) -> Finding:
    try:
        value = parse_json(text)
    except ValueError as error:
        return f"the answer is not JSON: {error}"
    if response_format["type"] == "json_object":
        return None if isinstance(value, dict) else "the answer is JSON but not an object"
    return _mismatch(value, response_schema(response_format), work)


def _call_wrong(call: Mapping[str, Any], offered: Mapping[str, Mapping[str, Any]], work: Work) -> Finding:
    kind = str(call.get("type", "function"))
    called = call.get(kind)
    name = str(called.get("name")) if isinstance(called, Mapping) else "nothing"
    if name not in offered:
        return f"the model called {name[:80]!r}, which was not offered"
    if kind != "function":  # the input of a custom tool is plain text
        return None
    arguments = call["function"].get("arguments") or {}
    try:
        arguments = parse_json(arguments) if isinstance(arguments, str) else arguments
    except ValueError as error:
        return f"the arguments of {name} are not JSON: {error}"
    if not isinstance(arguments, dict):
        return f"the arguments of {name} are not an object"
    mismatch = _mismatch(arguments, offered[name].get("parameters"), work)
    return f"the arguments of {name} do not fit: {mismatch}" if mismatch else None


def offered_tools(options: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what a request says of each tool it offers, by the name to call it by.

    A tool is described under its type: "function", whose `parameters` are a JSON schema, or "custom".
    """
    tools = [tool.get(tool.get("type", "function")) for tool in options.get("tools") or []]
    return {
        tool["name"]: tool
        for tool in tools
        if isinstance(tool, Mapping) and isinstance(tool.get("name"), str)
    }


def response_schema(response_format: Mapping[str, Any]) -> Any:
    """Return the JSON schema that a response format names, or None."""
    named = response_format.get("json_schema")
    return named.get("schema") if isinstance(named, Mapping) else None


def _mismatch(value: Any, schema: Any, work: Work) -> Finding:
    if schema is None:
        return None
    from .json_schema import schema_mismatch  # noqa: PLC0415 - takes a tenth of a second, and few calls need it

    return schema_mismatch(value, schema, work)
