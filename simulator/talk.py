"""What simulated models say besides solving tasks: greetings, tool calls, tool results, and what they cannot do."""

import json
import re
from collections.abc import Iterator
from typing import Any

from .shapes import fill

JSONObject = dict[str, Any]

_GREETING = re.compile(
    r"(?:please )?(?:say )?(?:hi|hello|hey|greetings|good (?:morning|afternoon|evening|day)|hallo|bonjour|hola|ciao"
    r"|guten (?:tag|morgen|abend))(?: (?:there|again|all|everybody|everyone|world|to me|to you|how are you))*"
)
_MOST_QUOTED_CHARS = 300
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "about all an and any are as at be by call can current data do find for from function get give has have how in "
        "into is it its list look make me my new no not of on one or our please return returns run set show tell that "
        "the their this to tool up use used user want was what when where which who with you your",
    )
)
"""Words that many prompts and tools have in common."""


def greeting(prompt: str, model_id: str) -> str | None:
    """Return a greeting to one; None for a prompt that is more."""
    plain = " ".join(re.sub(r"[^\w\s]", " ", prompt.lower()).split())
    if not _GREETING.fullmatch(plain):
        return None
    return (
        f"Hello! I am {model_id}, a simulated model. I solve generated tasks, such as sums and sorting words."
    )


def disclaimer(prompt: str, model_id: str) -> str:
    """Return what is said to a prompt that is none of the generated tasks."""
    return (
        f"This is a simulated answer. {model_id} has no knowledge of its own: it solves generated tasks, such as sums "
        f"and sorting words, and did not read: {opening(prompt)}"
    )


def opening(prompt: str) -> str:
    """Return the first words of a prompt in quotation marks."""
    return f"“{' '.join(prompt.split()[:12])} …”"


def tool_result(messages: list[JSONObject], model_id: str) -> str | None:
    """Return what is said of the results of the tools called since the user last spoke; None without any."""
    results: list[str] = []
    for message in reversed(messages):
        if message.get("role") not in {"tool", "function"}:
            break
        content = message.get("content")
        results.insert(0, content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))
    if not results:
        return None
    said = "; ".join(" ".join(result.split())[:_MOST_QUOTED_CHARS] for result in results)
    return f"According to the tool: {said}. ({model_id} is simulated and adds nothing to it.)"


def chosen_tool(body: JSONObject, prompt: str) -> JSONObject | None:
    """Return the function to call: the one that is asked for, or on "auto" the one that fits the prompt best.

    A function fits where its name, or twice its description, has a word in common with the prompt that not every
    prompt has. Once a tool has answered, "auto" calls none.
    """
    tools, choice = body.get("tools") or [], body.get("tool_choice") or "auto"
    functions = [tool["function"] for tool in tools if tool.get("type") == "function"]
    if isinstance(choice, dict):
        wanted = choice.get("function", {}).get("name")
        return next((function for function in functions if function["name"] == wanted), None)
    if choice == "required":
        return max(functions, key=lambda one: _fit(one, prompt), default=None)
    if choice != "auto" or body["messages"][-1].get("role") in {"tool", "function"}:
        return None
    fitting = [function for function in functions if _fit(function, prompt) >= 2]
    return max(fitting, key=lambda one: _fit(one, prompt), default=None)


def tool_arguments(function: JSONObject, prompt: str) -> JSONObject:
    """Return arguments of the function's shape whose free texts hold what the prompt names."""
    named = next(_names(prompt), None) or opening(prompt)
    arguments: JSONObject = fill(function.get("parameters") or {}, named)
    return arguments


def _fit(function: JSONObject, prompt: str) -> int:
    asked = _words(prompt)
    return 2 * len(asked & _words(function["name"])) + len(asked & _words(function.get("description") or ""))


def _words(text: str) -> set[str]:
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", text)
    return {word.removesuffix("s") for word in re.findall(r"\w{2,}", parted.lower()) if word not in _COMMON}


def _names(prompt: str) -> Iterator[str]:
    """Yield what a prompt may name: quoted texts, capitalised words inside a sentence, numbers, the last word."""
    yield from re.findall(r'"([^"]+)"', prompt)
    yield from re.findall(r"(?<=[a-z,] )[A-Z]\w+(?: [A-Z]\w+)*", prompt)
    yield from re.findall(r"\d[\d.]*\d|\d", prompt)
    yield from reversed(re.findall(r"\w+", prompt))
