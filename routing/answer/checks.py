"""Free checks of an answer's structure: what is plainly unusable needs no judge.

Every check reads the OpenAI assistant message in time linear in its length.
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
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("not_empty", lambda: None if text.strip() or calls else _empty(message)),
        (
            "not_cut_off",
            lambda: "the answer was cut off at its token limit" if finish_reason == "length" else None,
        ),
        ("not_refused", lambda: _refused(message, text)),
    ]
    if wants_json and not calls:
        checks.append(("json_valid", lambda: _json_wrong(text, options["response_format"])))
    if calls:
        checks.append(("tool_arguments", lambda: _first(_call_wrong(call, options) for call in calls)))
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


def _json_wrong(text: str, response_format: Mapping[str, Any]) -> Finding:
    try:
        value = _parse_json(text)
    except ValueError as error:
        return f"the answer is not JSON: {error}"
    if response_format["type"] == "json_object":
        return None if isinstance(value, dict) else "the answer is JSON but not an object"
    schema = (response_format.get("json_schema") or {}).get("schema") or {}
    return schema_mismatch(value, schema)


def _call_wrong(call: Mapping[str, Any], options: Mapping[str, Any]) -> Finding:
    function = call.get("function") or {}
    name = function.get("name")
    offered = {
        tool["function"]["name"]: tool["function"]
        for tool in options.get("tools") or []
        if "function" in tool
    }
    if name not in offered:
        return f"the model called {name!r}, which was not offered"
    try:
        arguments = _parse_json(function.get("arguments") or "{}")
    except ValueError as error:
        return f"the arguments of {name} are not JSON: {error}"
    if not isinstance(arguments, dict):
        return f"the arguments of {name} are not an object"
    mismatch = schema_mismatch(arguments, offered[name].get("parameters") or {})
    return f"the arguments of {name} do not fit: {mismatch}" if mismatch else None


_TYPE_TEST: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
}


def schema_mismatch(value: Any, schema: Mapping[str, Any], path: str = "$") -> str | None:
    """Return the first place where `value` breaks a JSON schema, or None.

    Understands `type`, `enum`, `required`, `properties`, `additionalProperties: false` and `items`; every
    other keyword is taken as met.
    """
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_TYPE_TEST.get(name, lambda _: True)(value) for name in types):
        return f"{path} must be {' or '.join(types)}, got {type(value).__name__}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{path} must be one of {schema['enum']!r}, got {value!r}"
    if isinstance(value, dict):
        return _object_mismatch(value, schema, path)
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        items = enumerate(value)
        return _first(schema_mismatch(item, schema["items"], f"{path}[{index}]") for index, item in items)
    return None


def _object_mismatch(value: dict[str, Any], schema: Mapping[str, Any], path: str) -> str | None:
    properties = schema.get("properties") or {}
    for key in schema.get("required") or []:
        if key not in value:
            return f"{path}.{key} is missing"
    if schema.get("additionalProperties") is False and (unknown := value.keys() - properties.keys()):
        return f"{path}.{min(unknown)} is not allowed"
    known = (key for key in properties if key in value and isinstance(properties[key], Mapping))
    return _first(schema_mismatch(value[key], properties[key], f"{path}.{key}") for key in known)


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
