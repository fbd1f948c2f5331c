"""Free checks of an answer's structure: what is plainly unusable needs no judge.

Every check reads the OpenAI assistant message in time linear in its length, or stops after `work.UNITS`.
"""

import ast
import json
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..prompt.tokens import content_text
from .work import Work

_LONGEST_REFUSAL = 500
_CANNOT = r"(?:can(?:not|'t| not)|won't|will not|am unable to|'m unable to|am not able to|'m not able to)"
_REFUSED_VERB = (
    r"(?:help (?!but\b)|help\.|assist|comply|fulfil|do that|do this|provide|create|generate|write|engage"
    r"|participate|continue with|support|share|discuss|answer that|process)"
)
_REFUSAL = re.compile(
    r"(?:(?:i'm|i am) (?:very |so |really )?(?:sorry|afraid)[,.]? (?:but |that )?)?"
    rf"i ?{_CANNOT} {_REFUSED_VERB}"
    rf"|(?:sorry|unfortunately|apologies|i apologi[sz]e)[,.]? (?:but )?i ?{_CANNOT} {_REFUSED_VERB}"
    rf"|as an ai(?: language)?(?: model| assistant)?,? i ?(?:{_CANNOT}|don't|do not) "
    r"|i must (?:respectfully )?(?:decline|refuse)\b",
    re.IGNORECASE,
)

Finding = str | None
"""Why a check failed, or None."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The checks made, in order; the first that failed ends the list."""

    made: tuple[str, ...]
    failed: str | None = None
    reason: str | None = None
    """What is wrong, as a sentence."""


def run_checks(
    message: Mapping[str, Any], finish_reason: str | None, options: Mapping[str, Any]
) -> CheckReport:
    """Return which checks an OpenAI assistant message passed; `options` are those of the request.

    "not_empty", "not_cut_off" and "not_refused" always; "json_valid" where the request names a JSON response
    format; "tool_arguments" where tools are called; "code_parses" where Python or JSON stands in a fence.
    """
    text = content_text(message.get("content"))
    calls = message.get("tool_calls") or []
    wants_json = (options.get("response_format") or {}).get("type") in {"json_object", "json_schema"}
    work = Work()
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("not_empty", lambda: None if text.strip() or calls else _empty(message)),
        (
            "not_cut_off",
            lambda: "the answer was cut off at its token limit" if finish_reason == "length" else None,
        ),
        ("not_refused", lambda: _refused(message, text)),
    ]
    if wants_json and not calls:
        checks.append(("json_valid", lambda: _json_wrong(text, options["response_format"], work)))
    if calls:
        offered = offered_tools(options)
        checks.append(("tool_arguments", lambda: _first(_call_wrong(call, offered, work) for call in calls)))
    if fences := list(_fences(text)):
        checks.append(("code_parses", lambda: _first(_fence_wrong(*fence) for fence in fences)))
    made: list[str] = []
    for name, check in checks:
        made.append(name)
        if (reason := check()) is not None:
            return CheckReport(tuple(made), failed=name, reason=reason)
    return CheckReport(tuple(made))


def _first(findings: Iterator[Finding]) -> Finding:
    return next((finding for finding in findings if finding is not None), None)


def _empty(message: Mapping[str, Any]) -> Finding:
    # A refusal in its own field comes without content; the next check names it.
    return None if message.get("refusal") else "the answer has neither text nor tool calls"


def _refused(message: Mapping[str, Any], text: str) -> Finding:
    if message.get("refusal"):
        return "the model refused"
    opening = text.strip().replace("’", "'")
    is_refusal = len(opening) <= _LONGEST_REFUSAL and _REFUSAL.match(opening) is not None
    return f"the model refused: {opening[:80]!r}" if is_refusal else None


def _parse_json(text: str) -> Any:
    """Return the value of strict JSON (no NaN, no Infinity); ValueError says what is wrong."""

    def forbid(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(text, parse_constant=forbid)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _json_wrong(text: str, response_format: Mapping[str, Any], work: Work) -> Finding:
    try:
        value = _parse_json(text)
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
        arguments = _parse_json(arguments) if isinstance(arguments, str) else arguments
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


def _fences(text: str) -> Iterator[tuple[str, str]]:
    """Yield (language, body) of each fenced block in Python or JSON; an unclosed one runs to the end."""
    language: str | None = None
    body: list[str] = []
    for line in text.split("\n"):
        mark = line.strip()
        if language is None:
            if mark.startswith("```"):
                language, body = mark[3:].strip().lower(), []
        elif mark == "```":
            yield from _known_fence(language, body)
            language = None
        else:
            body.append(line)
    if language is not None:
        yield from _known_fence(language, body)


def _known_fence(language: str, body: list[str]) -> Iterator[tuple[str, str]]:
    if language in {"python", "py", "python3", "json"}:
        yield language, textwrap.dedent("\n".join(body))


def _fence_wrong(language: str, body: str) -> Finding:
    if language == "json":
        try:
            _parse_json(body)
        except ValueError as error:
            return f"a JSON block does not parse: {error}"
        return None
    if body.lstrip().startswith(">>>"):  # a recorded session, not a program
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(body)
    except (SyntaxError, ValueError) as error:
        return f"a Python block does not parse: {error}"
    except (RecursionError, MemoryError):  # nested beyond this parser; nothing is known
        return None
    return None
